//! Everything that a frame can say.

use std::time::Duration;

use base::TenantId;
use base::fleet::{Claim, Epoch, Slot};
use base::kv::{Op, Stats};

use crate::wire::{Fields, HEADER_LEN, Header, Put, frame, kind};
use crate::{
    Echo, Echoed, Exam, Examined, Hello, Malformed, PIECE_LEN_MAX, Reply, RequestId, op, stats,
};

/// Where in a request's frame its budget is.
const BUDGET_AT: std::ops::Range<usize> = HEADER_LEN + 4..HEADER_LEN + 8;

/// Changes the budget of a request that was encoded some time ago.
pub fn set_budget(frame: &mut [u8], budget: Duration) {
    if let Some(place) = frame.get_mut(BUDGET_AT) {
        place.copy_from_slice(&micros_u32(budget).to_le_bytes());
    }
}

/// Beside the slot: the gateway vouches for its claim.
const VOUCHED: u16 = 1 << 15;

/// An operation on one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// Names it, for the reply.
    pub id: RequestId,
    /// Whose key it is.
    pub tenant: TenantId,
    /// How long the caller waits from when the node has it; whole microseconds, at most 71 minutes.
    pub budget: Duration,
    /// What the gateway knows of the key's slot.
    pub claim: Claim,
    /// What is asked.
    pub op: Op<'a>,
    /// Of a store whose value follows in [`Piece`]s: how long that is.
    pub large_len: Option<u32>,
}

/// Part of a value: of a store on its way in, or of a hit on its way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece<'a> {
    /// The request whose value it is.
    pub id: RequestId,
    /// At most [`PIECE_LEN_MAX`] bytes.
    pub bytes: &'a [u8],
    /// Nothing follows.
    pub is_last: bool,
    /// The rest will not come: store nothing, or give the client up.
    pub is_broken: bool,
}

/// What a tenant may hold on a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TenantTerms {
    /// The tenant.
    pub tenant: TenantId,
    /// Bytes that it may hold there.
    pub quota_bytes: u64,
    /// Its largest item, in bytes.
    pub item_size_max: u32,
    /// Grows with every change; the node keeps the newest.
    pub version: u64,
}

/// One frame.
#[derive(Clone, Debug)]
pub enum Message<'a> {
    /// Both: the first.
    Hello(Hello),
    /// Gateway: an operation.
    Request(Request<'a>),
    /// Gateway: an operation that another node is asked in earnest, carried out in a space of the node's
    /// own for copies and answered as any; its claim means nothing. Spoken from version 3 on.
    Copy(Request<'a>),
    /// Node: what became of it.
    Reply(Reply<'a>),
    /// Both: part of a value.
    Piece(Piece<'a>),
    /// The receiver of a value can take so many bytes more.
    Window {
        /// The request whose value it is.
        id: RequestId,
        /// How many.
        len: u32,
    },
    /// Gateway: the rest of a value is not wanted.
    Cancel(RequestId),
    /// Gateway: what a tenant may hold.
    Tenant(TenantTerms),
    /// Gateway: a tenant is no more.
    Forget(TenantId),
    /// Gateway: empty a tenant, after a time.
    Flush {
        /// The tenant.
        tenant: TenantId,
        /// From now.
        delay: Duration,
    },
    /// Gateway: set a tenant's counters to zero.
    ResetStats(TenantId),
    /// Gateway: tell a tenant's figures.
    AskStats(TenantId),
    /// Node: a tenant's figures.
    Stats {
        /// The tenant.
        tenant: TenantId,
        /// Its figures on this node.
        stats: Box<Stats>,
    },
    /// Gateway: answer at once.
    Ping {
        /// Given back in the answer.
        token: u64,
        /// The newest version of the ring that it knows of, if it has heard from the store.
        announced: Option<Epoch>,
    },
    /// Node: the answer.
    Pong {
        /// That of the question.
        token: u64,
        /// The same of the node.
        announced: Option<Epoch>,
    },
    /// Node: about to end.
    Goodbye,
    /// Gateway, or a node that tries out the way to another: answer with so many bytes.
    Echo(Echo<'a>),
    /// Node: the answer.
    Echoed(Echoed<'a>),
    /// Gateway: try something out.
    Exam {
        /// Given back with what came of it.
        token: u64,
        /// What.
        exam: Exam<'a>,
    },
    /// Node: what came of it.
    Examined {
        /// That of the question.
        token: u64,
        /// What came of it.
        result: Examined,
    },
}

impl<'a> Message<'a> {
    /// Appends the frame to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Hello(hello) => hello.encode(out),
            Self::Request(request) => request.encode(kind::REQUEST, out),
            Self::Copy(request) => request.encode(kind::COPY, out),
            Self::Reply(reply) => reply.encode(out),
            Self::Piece(piece) => piece.encode(out),
            Self::Window { id, len } => {
                frame(out, plain(kind::WINDOW, id.to_bits()), |out| {
                    out.put_u32(*len)
                });
            }
            Self::Cancel(id) => frame(out, plain(kind::CANCEL, id.to_bits()), |_| {}),
            Self::Tenant(terms) => {
                let header = plain(kind::TENANT, u64::from(terms.tenant.0));
                frame(out, header, |out| {
                    out.put_u64(terms.quota_bytes);
                    out.put_u32(terms.item_size_max);
                    out.put_u64(terms.version);
                });
            }
            Self::Flush { tenant, delay } => {
                let header = plain(kind::FLUSH, u64::from(tenant.0));
                frame(out, header, |out| out.put_u64(micros_of(*delay)));
            }
            Self::Forget(tenant) => about_tenant(kind::FORGET, *tenant, out),
            Self::ResetStats(tenant) => about_tenant(kind::RESET_STATS, *tenant, out),
            Self::AskStats(tenant) => about_tenant(kind::ASK_STATS, *tenant, out),
            Self::Stats { tenant, stats } => {
                let header = plain(kind::STATS, u64::from(tenant.0));
                frame(out, header, |out| stats::encode(stats, out));
            }
            Self::Ping { token, announced } => ping(kind::PING, *token, *announced, out),
            Self::Pong { token, announced } => ping(kind::PONG, *token, *announced, out),
            Self::Goodbye => frame(out, plain(kind::GOODBYE, 0), |_| {}),
            Self::Echo(echo) => echo.encode(out),
            Self::Echoed(echoed) => echoed.encode(out),
            Self::Exam { token, exam } => exam.encode(*token, out),
            Self::Examined { token, result } => result.encode(*token, out),
        }
    }

    /// Reads one frame, split off by [`wire::split`](crate::wire::split).
    ///
    /// # Errors
    /// The frame says nothing that can be.
    pub fn decode(header: Header, content: &'a [u8]) -> Result<Self, Malformed> {
        let mut fields = Fields::of(header.kind, content);
        let id = RequestId::from_bits(header.id);
        let message = match header.kind {
            kind::REQUEST => return Request::decode(header, fields).map(Self::Request),
            kind::COPY => return Request::decode(header, fields).map(Self::Copy),
            kind::REPLY => return Reply::decode(header, fields).map(Self::Reply),
            // Later versions may say more in it.
            kind::HELLO => return Hello::decode(fields).map(Self::Hello),
            kind::PIECE => Self::Piece(Piece::decode(header, &mut fields)?),
            kind::WINDOW => Self::Window {
                id,
                len: fields.u32()?,
            },
            kind::CANCEL => Self::Cancel(id),
            kind::TENANT => Self::Tenant(TenantTerms {
                tenant: tenant_of(header)?,
                quota_bytes: fields.u64()?,
                item_size_max: fields.u32()?,
                version: fields.u64()?,
            }),
            kind::FORGET => Self::Forget(tenant_of(header)?),
            kind::FLUSH => Self::Flush {
                tenant: tenant_of(header)?,
                delay: Duration::from_micros(fields.u64()?),
            },
            kind::RESET_STATS => Self::ResetStats(tenant_of(header)?),
            kind::ASK_STATS => Self::AskStats(tenant_of(header)?),
            kind::STATS => Self::Stats {
                tenant: tenant_of(header)?,
                stats: Box::new(stats::decode(&mut fields)?),
            },
            kind::PING => Self::Ping {
                token: header.id,
                announced: fields.u64_if(header.a == 1)?.map(Epoch),
            },
            kind::PONG => Self::Pong {
                token: header.id,
                announced: fields.u64_if(header.a == 1)?.map(Epoch),
            },
            kind::GOODBYE => Self::Goodbye,
            kind::ECHO => Self::Echo(Echo::decode(header.id, &mut fields)?),
            kind::ECHOED => Self::Echoed(Echoed::decode(header.id, &mut fields)?),
            kind::EXAM => Self::Exam {
                token: header.id,
                exam: Exam::decode(header, &mut fields)?,
            },
            kind::EXAMINED => Self::Examined {
                token: header.id,
                result: Examined::decode(header, &mut fields)?,
            },
            unknown => return Err(Malformed::Kind(unknown)),
        };
        match fields.rest().is_empty() {
            true => Ok(message),
            false => Err(fields.malformed()),
        }
    }
}

impl<'a> Request<'a> {
    #[inline]
    fn encode(&self, kind: u8, out: &mut Vec<u8>) {
        let header = Header {
            kind,
            code: op::code(&self.op, self.large_len),
            a: u8::try_from(self.op.key().len()).unwrap_or(0),
            b: op::mode_number(&self.op),
            id: self.id.to_bits(),
        };
        frame(out, header, |out| {
            let mut fixed = [0; 20];
            let budget_us = micros_u32(self.budget);
            fixed[..4].copy_from_slice(&self.tenant.0.to_le_bytes());
            fixed[4..8].copy_from_slice(&budget_us.to_le_bytes());
            fixed[8..16].copy_from_slice(&self.claim.epoch.0.to_le_bytes());
            let vouched = if self.claim.vouched { VOUCHED } else { 0 };
            let slot = self.claim.slot.number() | vouched;
            fixed[16..18].copy_from_slice(&slot.to_le_bytes());
            fixed[18..].copy_from_slice(&op::bits(&self.op).to_le_bytes());
            out.extend_from_slice(&fixed);
            op::encode(&self.op, self.large_len, out);
        });
    }

    #[inline]
    fn decode(header: Header, mut fields: Fields<'a>) -> Result<Self, Malformed> {
        let tenant = TenantId(fields.u32()?);
        let budget = Duration::from_micros(fields.u32()?.into());
        let epoch = Epoch(fields.u64()?);
        let (slot, bits) = (fields.u16()?, fields.u16()?);
        let claim = Claim {
            slot: Slot::new(slot & !VOUCHED).ok_or_else(|| fields.malformed())?,
            epoch,
            vouched: slot & VOUCHED != 0,
        };
        let (op, large_len) = op::decode(&header, bits, &mut fields)?;
        Ok(Self {
            id: RequestId::from_bits(header.id),
            tenant,
            budget,
            claim,
            op,
            large_len,
        })
    }
}

impl<'a> Piece<'a> {
    const LAST: u8 = 1;
    const BROKEN: u8 = 1 << 1;

    fn encode(&self, out: &mut Vec<u8>) {
        let last = if self.is_last { Self::LAST } else { 0 };
        let broken = if self.is_broken { Self::BROKEN } else { 0 };
        let header = Header {
            kind: kind::PIECE,
            code: 0,
            a: last | broken,
            b: 0,
            id: self.id.to_bits(),
        };
        frame(out, header, |out| out.extend_from_slice(self.bytes));
    }

    fn decode(header: Header, fields: &mut Fields<'a>) -> Result<Self, Malformed> {
        let bytes = fields.rest();
        if bytes.len() > PIECE_LEN_MAX {
            return Err(fields.malformed());
        }
        Ok(Self {
            id: RequestId::from_bits(header.id),
            bytes,
            is_last: header.a & Self::LAST != 0,
            is_broken: header.a & Self::BROKEN != 0,
        })
    }
}

fn plain(kind: u8, id: u64) -> Header {
    Header {
        kind,
        code: 0,
        a: 0,
        b: 0,
        id,
    }
}

fn ping(kind: u8, token: u64, announced: Option<Epoch>, out: &mut Vec<u8>) {
    let header = Header {
        a: u8::from(announced.is_some()),
        ..plain(kind, token)
    };
    frame(out, header, |out| {
        if let Some(epoch) = announced {
            out.put_u64(epoch.0);
        }
    });
}

fn about_tenant(kind: u8, tenant: TenantId, out: &mut Vec<u8>) {
    frame(out, plain(kind, u64::from(tenant.0)), |_| {});
}

fn tenant_of(header: Header) -> Result<TenantId, Malformed> {
    let number = u32::try_from(header.id);
    number
        .map(TenantId)
        .map_err(|_| Malformed::Content(header.kind))
}

fn micros_u32(time: Duration) -> u32 {
    u32::try_from(time.as_micros()).unwrap_or(u32::MAX)
}

fn micros_of(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
#[path = "message_test.rs"]
mod tests;
