//! What is written of a tenant is what is read, and what makes no sense opens nothing.

use super::*;

fn credential(id: u32, username: &str, primary: bool) -> StoredCredential {
    let new = NewCredential {
        username: username.to_owned(),
        salt: [1; 16],
        password_sha256: [0xab; 32],
        rights: Rights::ALL,
        primary,
    };
    StoredCredential::new(id, &new, 7)
}

#[test]
fn limits_and_credentials_come_back_as_they_were() {
    let limits = TrafficLimits {
        ops_per_second: Some(5),
        burst: Duration::from_millis(1500),
        weight: 7,
        ..TrafficLimits::default()
    };
    assert_eq!(StoredTraffic::of(&limits).limits(), limits);
    let unsaid: StoredTraffic = serde_json::from_str("{}").unwrap();
    assert_eq!(unsaid.limits(), TrafficLimits::default());
    let record = credential(3, "acme", true).record(TenantId(9)).unwrap();
    assert_eq!((record.salt, record.password_sha256), ([1; 16], [0xab; 32]));
    assert_eq!((record.id, record.tenant), (CredentialId(3), TenantId(9)));
    let mut odd = credential(3, "acme", true);
    odd.salt.push('0');
    assert_eq!(odd.record(TenantId(9)), None);
}

#[test]
fn there_is_one_primary_and_revoked_names_stay_taken() {
    let text = r#"{"name":"acme","quota_bytes":1,"item_size_max":2}"#;
    let mut tenant: StoredTenant = serde_json::from_str(text).unwrap();
    tenant.add(credential(1, "acme", true));
    tenant.add(credential(2, "acme-x", true));
    let primary: Vec<bool> = tenant.credentials.iter().map(|c| c.primary).collect();
    assert_eq!(primary, [false, true]);
    tenant.revoke(CredentialId(1));
    assert_eq!(
        (tenant.credentials.len(), &tenant.revoked[..]),
        (1, &["acme".to_owned()][..])
    );
}
