//! What the public may know of an event: fixed words by its kind, never a word of the event itself.

use base::event::EventKind;

use crate::incident::Impact;

/// What an event of some kind means to clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cause {
    /// In a few words, as the title of an incident.
    pub title: &'static str,
    /// As a sentence.
    pub sentence: &'static str,
    /// Who notices, as a sentence.
    pub who: &'static str,
    /// What is being done about it, as a sentence.
    pub doing: &'static str,
    /// How bad it is for clients.
    pub impact: Impact,
    /// How sure it is that they notice, in percent.
    pub confidence_percent: u8,
}

/// What the public may know of an event of this kind; nothing of those that clients do not notice,
/// or that are the affair of one tenant.
pub const fn of(kind: EventKind) -> Option<Cause> {
    Some(match kind {
        EventKind::ListenOverflow => Cause {
            title: "Connection attempts are dropped",
            sentence: "More connection attempts arrive than can be taken in, and some are dropped.",
            who: "Clients that open new connections; some of them have to try again.",
            doing: "Connections are taken in as fast as possible, each customer's in turn.",
            impact: Impact::Major,
            confidence_percent: 70,
        },
        EventKind::DoorFull => Cause {
            title: "The entrance is full",
            sentence: "More connections wait to log in than there are places for.",
            who: "Clients that open new connections; open connections go on working.",
            doing: "Places are shared out between customers, so that nobody's flood keeps others out.",
            impact: Impact::Minor,
            confidence_percent: 60,
        },
        EventKind::ConnectionsFull => Cause {
            title: "New connections are turned away",
            sentence: "All connections that can be open at once are open.",
            who: "Clients that open new connections; open connections go on working.",
            doing: "Places are given out again as connections end.",
            impact: Impact::Major,
            confidence_percent: 85,
        },
        EventKind::SynCookies => Cause {
            title: "Unusually many connection attempts",
            sentence: "Unusually many connection attempts arrive, and the network stack defends itself.",
            who: "Clients that open new connections; most of them do not notice.",
            doing: "Attempts that are not answered to are not kept.",
            impact: Impact::Minor,
            confidence_percent: 50,
        },
        EventKind::HostOverload => Cause {
            title: "Requests wait for their turn",
            sentence: "More is asked for than can be served at once.",
            who: "Mostly customers who ask for more than their share; all others are served first.",
            doing: "Each customer is served in turn, and those above their share wait.",
            impact: Impact::Minor,
            confidence_percent: 70,
        },
        EventKind::LoopStalled => Cause {
            title: "Part of the service does not respond",
            sentence: "A part of the service has stood still for a second or more.",
            who: "Clients whose connections are served by that part.",
            doing: "A part that stays still is restarted.",
            impact: Impact::Major,
            confidence_percent: 90,
        },
        EventKind::ProcessPaused => Cause {
            title: "The service stood still for a moment",
            sentence: "The service did not run for some seconds, as when its machine is suspended.",
            who: "All clients.",
            doing: "It runs again; requests that waited are answered.",
            impact: Impact::Minor,
            confidence_percent: 60,
        },
        EventKind::Stopping => Cause {
            title: "The service is being stopped",
            sentence: "The service was told to stop, as for a restart.",
            who: "All clients.",
            doing: "Requests under way were finished before it ended.",
            impact: Impact::Minor,
            confidence_percent: 60,
        },
        EventKind::ClientsReconnecting => Cause {
            title: "Clients of several customers reconnect",
            sentence: "Clients of several customers open connections again and again.",
            who: "Some of the clients of several customers.",
            doing: "Connections are taken in each customer's in turn.",
            impact: Impact::Minor,
            confidence_percent: 60,
        },
        _ => return None,
    })
}

/// What a tenant is told of an event of his own.
pub const fn told_to_tenant(kind: EventKind) -> &'static str {
    match kind {
        EventKind::TenantThrottled => "You reached one of your limits, and requests had to wait.",
        EventKind::TenantRefused => {
            "Requests waited longer than allowed, and were answered as misses or as not stored."
        }
        EventKind::TenantConnectionsRefused => {
            "You reached a limit on connections, and new ones had to wait or were closed."
        }
        EventKind::ClientsReconnecting => {
            "Your clients opened connections faster than they sent requests."
        }
        EventKind::LoginsFailing => "Connections presented wrong passwords in your name.",
        EventKind::MemoryCut => {
            "Your memory was made smaller than what it held, and the items used least are gone."
        }
        EventKind::CloseWait => "Connections that your clients had closed stayed open on our side.",
        _ => "Something happened that concerns you.",
    }
}
