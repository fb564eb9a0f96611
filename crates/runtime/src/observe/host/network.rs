//! `/proc/net/dev`: what each interface received and sent.

/// One network interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// What came in.
    pub receive: Direction,
    /// What went out.
    pub transmit: Direction,
}

/// One direction of an interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Direction {
    /// Bytes.
    pub bytes: u64,
    /// Packets.
    pub packets: u64,
    /// Packets that were damaged.
    pub errors: u64,
    /// Packets that found no room.
    pub drops: u64,
}

/// Every interface of the table; lines that are none are passed over.
pub(super) fn parse(text: &str) -> Vec<Interface> {
    text.lines().filter_map(interface).collect()
}

/// `eth0: bytes packets errs drop fifo frame compressed multicast`, then eight of the other
/// direction, of which the first four mean the same.
fn interface(line: &str) -> Option<Interface> {
    let (name, rest) = line.split_once(':')?;
    let mut figures = rest.split_ascii_whitespace().map(str::parse);
    let mut next = || figures.next()?.ok();
    let receive = direction(&mut next)?;
    for _ in 0..4 {
        next()?;
    }
    Some(Interface {
        name: name.trim().to_owned(),
        receive,
        transmit: direction(&mut next)?,
    })
}

fn direction(next: &mut impl FnMut() -> Option<u64>) -> Option<Direction> {
    Some(Direction {
        bytes: next()?,
        packets: next()?,
        errors: next()?,
        drops: next()?,
    })
}
