//! What tenants may be called, and the user names made from that.

use runtime::secrets;

use super::ControlError;

/// The open tenant.
pub(crate) const OPEN_TENANT: &str = "default";

const NAME_LEN_MAX: usize = 63;
const USERNAME_LEN_MAX: usize = 64;
/// 30 random bits: enough to be free at the first try; the password is what is secret.
const SUFFIX_LEN: usize = 6;

/// Whether a new tenant may have `name`: `[a-z0-9][a-z0-9-]{0,62}`, and not `default`.
pub(super) fn check(name: &str) -> Result<(), ControlError> {
    if !is_well_formed(name) {
        return Err(ControlError::Invalid(format!(
            "{name:?} is no name for a tenant: use 1 to {NAME_LEN_MAX} lower-case letters, digits \
             and hyphens, not beginning with a hyphen"
        )));
    }
    if name == OPEN_TENANT {
        return Err(ControlError::Taken(name.to_owned()));
    }
    Ok(())
}

/// Whether a volume may have `name`: as a tenant's, `default` included.
pub(super) fn check_volume(name: &str) -> Result<(), ControlError> {
    match is_well_formed(name) {
        true => Ok(()),
        false => Err(ControlError::Invalid(format!(
            "{name:?} is no name for a volume: use 1 to {NAME_LEN_MAX} lower-case letters, digits \
             and hyphens, not beginning with a hyphen, after TENANT/ if it is not the open tenant's"
        ))),
    }
}

fn is_well_formed(name: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    name.len() <= NAME_LEN_MAX
        && name.bytes().next().is_some_and(letter)
        && name.bytes().all(|byte| letter(byte) || byte == b'-')
}

/// `tenant`, or where that is in use `tenant-` and a random suffix.
pub(super) fn username(
    tenant: &str,
    in_use: impl Fn(&str) -> bool,
) -> Result<String, ControlError> {
    if !in_use(tenant) {
        return Ok(tenant.to_owned());
    }
    let stem: String = tenant
        .chars()
        .take(USERNAME_LEN_MAX - SUFFIX_LEN - 1)
        .collect();
    loop {
        let name = format!("{stem}-{}", secrets::random_text(SUFFIX_LEN)?);
        if !in_use(&name) {
            return Ok(name);
        }
    }
}

#[cfg(test)]
#[path = "names_test.rs"]
mod tests;
