//! The binary protocol: packets as requests.

pub(crate) mod header;
pub(crate) mod reply;
mod storage;

use base::kv::{Arith, Delete, Get, KEY_LEN_MAX, Op};

use crate::decoder::{Context, State, Step};
use crate::request::{Action, Request, StatsKind};
use crate::{VERSION as SERVER_VERSION, exptime};
pub(crate) use header::MAGIC;
use header::{HEADER_LEN, Header, Status, opcode};
use reply::{Form, Kind};

/// The mechanisms that `SASL list` names.
pub(crate) const MECHANISMS: &[u8] = b"PLAIN";

/// In the place of an expiration: do not create what is not there.
const NO_INITIAL: u32 = u32::MAX;

/// Looks at the next packet; the state is idle.
#[inline]
pub(crate) fn decode<'a>(state: &mut State, input: &'a [u8], context: Context<'_, 'a>) -> Step<'a> {
    if input.first() != Some(&MAGIC) {
        return closing(input.len(), Form::silent());
    }
    let Some(header) = Header::of(input) else {
        return Step::Incomplete;
    };
    let Some(value_len) = header.value_len() else {
        let form = Form::fixed(
            &header,
            Status::UnknownCommand,
            Status::UnknownCommand.text(),
        );
        return closing(HEADER_LEN, form);
    };
    if usize::from(header.key_len) > KEY_LEN_MAX {
        return invalid(&header);
    }
    let Some(head) = input.get(HEADER_LEN..header.head_len()) else {
        return Step::Incomplete;
    };
    let (extras, key) = head.split_at(usize::from(header.extras_len));
    let packet = Packet {
        header,
        extras,
        key,
        value_len,
        input,
    };
    packet.decode(state, context)
}

/// A packet of which header, extras and key are here.
pub(crate) struct Packet<'a> {
    pub(crate) header: Header,
    pub(crate) extras: &'a [u8],
    pub(crate) key: &'a [u8],
    pub(crate) value_len: u32,
    /// The packet and all that came with it.
    pub(crate) input: &'a [u8],
}

impl<'a> Packet<'a> {
    fn decode(&self, state: &mut State, context: Context<'_, 'a>) -> Step<'a> {
        use opcode::{
            ADD, ADDQ, APPEND, APPENDQ, DECREMENT, DECREMENTQ, DELETE, DELETEQ, FLUSH, FLUSHQ, GAT,
            GATK, GATKQ, GATQ, GET, GETK, GETKQ, GETQ, INCREMENT, INCREMENTQ, NOOP, PREPEND,
            PREPENDQ, QUIT, QUITQ, REPLACE, REPLACEQ, SASL_AUTH, SASL_LIST, SASL_STEP, SET, SETQ,
            STAT, TOUCH, VERBOSITY, VERSION,
        };
        match self.header.opcode {
            GET | GETQ | GETK | GETKQ => self.get(),
            TOUCH | GAT | GATQ | GATK | GATKQ => self.get_and_touch(context),
            SET | SETQ | ADD | ADDQ | REPLACE | REPLACEQ => self.store(state, context),
            APPEND | APPENDQ | PREPEND | PREPENDQ => self.join(state, context),
            DELETE | DELETEQ => self.delete(),
            INCREMENT | INCREMENTQ | DECREMENT | DECREMENTQ => self.arith(context),
            FLUSH | FLUSHQ => self.flush(context),
            STAT => self.stats(),
            NOOP => self.plain(b""),
            VERSION => self.plain(SERVER_VERSION.as_bytes()),
            SASL_LIST if self.header.body_len != 0 => invalid(&self.header),
            SASL_AUTH | SASL_STEP if !self.extras.is_empty() || self.key.is_empty() => {
                invalid(&self.header)
            }
            SASL_LIST | SASL_AUTH | SASL_STEP if !context.authenticated => {
                self.refuse(Status::UnknownCommand, state)
            }
            SASL_LIST => self.plain(MECHANISMS),
            SASL_AUTH | SASL_STEP => self.refuse(Status::AuthError, state),
            VERBOSITY => self.verbosity(state),
            QUIT | QUITQ => self.quit(),
            _ => self.refuse(Status::UnknownCommand, state),
        }
    }

    fn get(&self) -> Step<'a> {
        if !self.extras.is_empty() || self.key.is_empty() || self.value_len != 0 {
            return invalid(&self.header);
        }
        self.kv(Op::Get(Get::plain(self.key)), Kind::Get)
    }

    fn get_and_touch(&self, context: Context<'_, 'a>) -> Step<'a> {
        let (&[a, b, c, d], false, 0) = (self.extras, self.key.is_empty(), self.value_len) else {
            return invalid(&self.header);
        };
        let exptime = u32::from_be_bytes([a, b, c, d]);
        let is_touch = self.header.opcode == opcode::TOUCH;
        let get = Get {
            value: !is_touch,
            touch: Some(exptime::expiry(i64::from(exptime), context.now)),
            ..Get::plain(self.key)
        };
        let kind = if is_touch { Kind::Touch } else { Kind::Get };
        self.kv(Op::Get(get), kind)
    }

    fn delete(&self) -> Step<'a> {
        if !self.extras.is_empty() || self.key.is_empty() || self.value_len != 0 {
            return invalid(&self.header);
        }
        let delete = Delete {
            key: self.key,
            compare_cas: self.compare_cas(),
            new_cas: None,
            invalidate: false,
            touch: None,
            clear_value: false,
        };
        self.kv(Op::Delete(delete), Kind::Plain)
    }

    fn arith(&self, context: Context<'_, 'a>) -> Step<'a> {
        let Some(extras) = ArithExtras::of(self.extras) else {
            return invalid(&self.header);
        };
        if self.key.is_empty() || self.value_len != 0 {
            return invalid(&self.header);
        }
        let initial = (extras.expiration != NO_INITIAL).then(|| {
            let end = exptime::expiry(i64::from(extras.expiration), context.now);
            (extras.initial, end)
        });
        let arith = Arith {
            key: self.key,
            delta: extras.delta,
            decrement: matches!(self.header.opcode, opcode::DECREMENT | opcode::DECREMENTQ),
            initial,
            touch: None,
            expiry_before: false,
            compare_cas: self.compare_cas(),
            new_cas: None,
        };
        self.kv(Op::Arith(arith), Kind::Arith)
    }

    fn flush(&self, context: Context<'_, 'a>) -> Step<'a> {
        let exptime = match *self.extras {
            [] => 0,
            [a, b, c, d] => u32::from_be_bytes([a, b, c, d]),
            _ => return invalid(&self.header),
        };
        if !self.key.is_empty() || self.value_len != 0 {
            return invalid(&self.header);
        }
        let delay = exptime::delay(i64::from(exptime), context.now);
        self.act(Action::FlushAll { delay }, Status::Ok, b"")
    }

    fn stats(&self) -> Step<'a> {
        if !self.extras.is_empty() || self.value_len != 0 {
            return invalid(&self.header);
        }
        let kind = match self.key {
            b"" => StatsKind::General,
            b"settings" => StatsKind::Settings,
            b"items" => StatsKind::Items,
            b"slabs" => StatsKind::Slabs,
            b"sizes" => StatsKind::Sizes,
            b"conns" => StatsKind::Conns,
            b"reset" => StatsKind::Reset,
            b"detail on" => StatsKind::DetailOn,
            b"detail off" => StatsKind::DetailOff,
            b"detail dump" => StatsKind::DetailDump,
            name => StatsKind::Unknown(name),
        };
        match kind {
            StatsKind::Unknown(_) => {
                let status = Status::KeyNotFound;
                self.act(Action::Stats(kind), status, status.text())
            }
            kind => self.act(Action::Stats(kind), Status::Ok, b""),
        }
    }

    /// Memcached does not know the command: in any other form than its own it is refused so.
    fn verbosity(&self, state: &mut State) -> Step<'a> {
        match (self.extras.len(), self.key.len(), self.value_len) {
            (4, 0, 0) => self.act(Action::Verbosity, Status::Ok, b""),
            _ => self.refuse(Status::UnknownCommand, state),
        }
    }

    fn quit(&self) -> Step<'a> {
        if self.header.body_len != 0 {
            return invalid(&self.header);
        }
        closing(HEADER_LEN, Form::fixed(&self.header, Status::Ok, b""))
    }

    /// A packet that is a header only, with an answer that is known.
    fn plain(&self, value: &'static [u8]) -> Step<'a> {
        match self.header.body_len {
            0 => self.act(Action::Answer, Status::Ok, value),
            _ => invalid(&self.header),
        }
    }

    /// Answers with an error, and skips the value.
    fn refuse(&self, status: Status, state: &mut State) -> Step<'a> {
        self.skip_value(state);
        self.act(Action::Answer, status, status.text())
    }

    pub(crate) fn skip_value(&self, state: &mut State) {
        if self.value_len > 0 {
            *state = State::Skip {
                left: u64::from(self.value_len),
            };
        }
    }

    pub(crate) fn compare_cas(&self) -> Option<u64> {
        Some(self.header.cas).filter(|cas| *cas != 0)
    }

    /// A request about one key.
    fn kv(&self, op: Op<'a>, kind: Kind) -> Step<'a> {
        self.request(self.header.head_len(), Action::Kv(op), kind)
    }

    /// A request about no key, whose answer is known.
    fn act(&self, action: Action<'a>, status: Status, value: &'static [u8]) -> Step<'a> {
        let kind = Kind::Fixed { status, value };
        self.request(self.header.head_len(), action, kind)
    }

    #[inline]
    pub(crate) fn request(&self, consumed: usize, action: Action<'a>, kind: Kind) -> Step<'a> {
        let key = self.key;
        let form = Form::new(&self.header, kind);
        Step::Request {
            consumed,
            request: request(action, key, form),
        }
    }
}

/// The extras of an increment or decrement.
struct ArithExtras {
    delta: u64,
    initial: u64,
    expiration: u32,
}

impl ArithExtras {
    fn of(extras: &[u8]) -> Option<Self> {
        let (delta, rest) = extras.split_first_chunk()?;
        let (initial, rest) = rest.split_first_chunk()?;
        Some(Self {
            delta: u64::from_be_bytes(*delta),
            initial: u64::from_be_bytes(*initial),
            expiration: u32::from_be_bytes(rest.try_into().ok()?),
        })
    }
}

/// A packet whose lengths do not fit its command: memcached answers and closes.
pub(crate) fn invalid<'a>(header: &Header) -> Step<'a> {
    let status = Status::InvalidArguments;
    closing(HEADER_LEN, Form::fixed(header, status, status.text()))
}

fn closing<'a>(consumed: usize, form: Form) -> Step<'a> {
    Step::Request {
        consumed,
        request: request(Action::Close, b"", form),
    }
}

fn request<'a>(action: Action<'a>, key: &'a [u8], form: Form) -> Request<'a> {
    Request {
        action,
        reply: crate::Reply {
            key,
            flags: b"",
            form: crate::reply::Form::Binary(form),
        },
    }
}

#[cfg(test)]
mod command_test;
#[cfg(test)]
mod malformed_test;
#[cfg(test)]
mod testing;
#[cfg(test)]
#[path = "binary_test.rs"]
mod tests;
