//! Which tenant a certificate's names name.

use base::{TenantId, TrafficLimits};
use gateway::directory::{Directory, Tenant};
use rcgen::SanType;

use super::super::testing::Authority;
use super::tenant_named;

fn directory() -> Directory {
    let tenants = [(2, "acme"), (3, "umbrella")].map(|(id, name)| Tenant {
        id: TenantId(id),
        name: name.into(),
        item_size_max: 1 << 20,
        traffic: TrafficLimits::default(),
    });
    Directory::new(tenants, [])
}

fn dns(name: &str) -> SanType {
    SanType::DnsName(name.try_into().unwrap())
}

fn uri(text: &str) -> SanType {
    SanType::URI(text.try_into().unwrap())
}

fn named(common_name: &str, names: Vec<SanType>) -> Option<u32> {
    let issued = Authority::new().issue(common_name, names);
    tenant_named(&issued.der(), &directory()).map(|tenant| tenant.0)
}

#[test]
fn each_kind_of_name_may_name_the_tenant() {
    assert_eq!(named("acme", vec![]), Some(2));
    assert_eq!(
        named("web-7", vec![dns("web-7.example"), dns("acme")]),
        Some(2)
    );
    let spiffe = uri("spiffe://example.org/tenant/umbrella");
    assert_eq!(named("web-7", vec![spiffe]), Some(3));
    assert_eq!(named("acme", vec![dns("acme"), uri("x://y/acme")]), Some(2));
}

#[test]
fn names_of_nobody_and_of_two_name_nobody() {
    assert_eq!(named("nobody", vec![dns("nobody.example")]), None);
    assert_eq!(named("acme", vec![dns("umbrella")]), None);
    assert_eq!(named("acme.example", vec![uri("spiffe://acme")]), None);
    assert_eq!(named("web", vec![uri("spiffe://example.org/acme/")]), None);
}

#[test]
fn bytes_that_are_no_certificate_name_nobody() {
    for bytes in [&b""[..], b"\x30\x03\x02\x01\x00", &[0x30; 300]] {
        assert_eq!(tenant_named(bytes, &directory()), None);
    }
}
