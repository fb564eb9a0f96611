//! Tests of tokens and names: each token once, in its time; each name one member's.

use std::time::Duration;

use base::Timestamp;

use super::super::subject::Role;
use super::super::token::JoinToken;
use super::Register;

const NOW: Timestamp = Timestamp::from_secs(1_700_000_000);
const HOUR: Duration = Duration::from_secs(3600);

fn register() -> Register {
    Register {
        fleet: "main".to_owned(),
        address: "10.0.0.1:8323".to_owned(),
        endpoints: Vec::new(),
        lifetime_s: 7200,
        tokens: Vec::new(),
        members: Vec::new(),
    }
}

/// A register with a token in it.
fn with_token(role: Role, name: Option<&str>) -> (Register, JoinToken) {
    let mut register = register();
    let token = JoinToken::new("0".repeat(64)).unwrap();
    register.open(NOW, &token.id, token.digest(), role, name, HOUR);
    (register, token)
}

#[test]
fn a_token_is_good_once() {
    let (mut register, token) = with_token(Role::Node, None);
    let role = register.redeem(NOW, &token.id, token.secret(), "node1");
    assert_eq!(role, Ok(Role::Node));
    let again = register.redeem(NOW, &token.id, token.secret(), "node2");
    assert!(again.unwrap_err().contains("used already"));
}

#[test]
fn a_token_ends() {
    let (mut register, token) = with_token(Role::Node, None);
    let late = register.redeem(NOW + HOUR, &token.id, token.secret(), "node1");
    assert!(late.unwrap_err().contains("time is over"));
    // It is told so for a week; then nothing is known of it any more.
    let other = JoinToken::new("0".repeat(64)).unwrap();
    let later = NOW + Duration::from_secs(8 * 24 * 3600);
    register.open(later, &other.id, other.digest(), Role::Node, None, HOUR);
    assert_eq!(register.tokens.len(), 1);
}

#[test]
fn a_wrong_secret_or_name_does_not_cost_the_token() {
    let (mut register, token) = with_token(Role::Gateway, Some("gateway1"));
    let wrong = register.redeem(NOW, &token.id, "guess", "gateway1");
    assert!(wrong.is_err());
    let other = register.redeem(NOW, &token.id, token.secret(), "gateway2");
    assert!(other.unwrap_err().contains("gateway1"));
    assert!(
        register
            .redeem(NOW, &token.id, token.secret(), "gateway1")
            .is_ok()
    );
}

#[test]
fn a_node_cannot_take_a_gateways_name() {
    let (mut register, token) = with_token(Role::Node, None);
    register.admit("gateway1", Role::Gateway, 0);
    let taken = register.redeem(NOW, &token.id, token.secret(), "gateway1");
    assert!(taken.unwrap_err().contains("already"));
    assert_eq!(register.tokens.len(), 1);
}

#[test]
fn who_is_revoked_gets_no_other_certificate_until_it_joins_again() {
    let (mut register, token) = with_token(Role::Node, None);
    assert!(register.may_renew("node1", Role::Node).is_err());
    register.admit("node1", Role::Node, 10);
    assert_eq!(register.may_renew("node1", Role::Node), Ok(()));
    assert!(register.may_renew("node1", Role::Gateway).is_err());
    assert!(register.revoke("node1") && !register.revoke("node2"));
    assert!(register.may_renew("node1", Role::Node).is_err());
    assert!(
        register
            .redeem(NOW, &token.id, token.secret(), "node1")
            .is_ok()
    );
    register.admit("node1", Role::Node, 20);
    assert_eq!(register.may_renew("node1", Role::Node), Ok(()));
    assert_eq!(register.members.len(), 1);
}
