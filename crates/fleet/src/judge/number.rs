//! Members as their numbers, for serde.

use base::fleet::MemberId;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub(super) fn serialize<S: Serializer>(id: &MemberId, to: S) -> Result<S::Ok, S::Error> {
    id.0.serialize(to)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<MemberId, D::Error> {
    u32::deserialize(from).map(MemberId)
}
