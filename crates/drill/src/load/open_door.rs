//! Before a password is sent as a `set`: whether the target would store it as one.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use super::error::LoadError;
use super::plan::{AuthDialect, Plan};
use super::socket::Address;

/// A target that says nothing for so long is left to the run, which tells what is wrong with it.
const PATIENCE: Duration = Duration::from_secs(1);

/// An error if a target answers whoever has not logged in, in a dialect whose login is a `set`.
pub(super) fn refuse(plan: &Plan) -> Result<(), LoadError> {
    if plan.tenants.is_empty() || plan.auth == AuthDialect::Sasl {
        return Ok(());
    }
    for target in &plan.targets {
        if matches!(serves_strangers(&Address::resolve(target)?), Ok(true)) {
            return Err(LoadError::NoLogin {
                target: target.to_string(),
            });
        }
    }
    Ok(())
}

fn serves_strangers(address: &Address) -> io::Result<bool> {
    match address {
        Address::Tcp(address) => {
            let stream = TcpStream::connect_timeout(address, PATIENCE)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            answers(stream)
        }
        Address::Unix(path) => {
            let stream = UnixStream::connect(path)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            answers(stream)
        }
    }
}

/// Whether the one command that changes nothing anywhere is carried out.
fn answers(mut stream: impl Read + Write) -> io::Result<bool> {
    stream.write_all(b"mn\r\n")?;
    let mut reply = [0; 4];
    stream.read_exact(&mut reply)?;
    Ok(&reply == b"MN\r\n")
}

#[cfg(test)]
#[path = "open_door_test.rs"]
mod tests;
