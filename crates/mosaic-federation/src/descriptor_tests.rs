use mosaic_types::TileId;

use super::*;

pub(crate) fn entry(id: u8, operator: &str, jurisdiction: &str) -> ProviderEntry {
    ProviderEntry {
        id: ProviderId::new(id).unwrap(),
        url: format!("https://127.0.0.1:{}", 7_000 + u16::from(id)),
        tls_pin: [id; 32],
        signing_key: [id | 0x10; 32],
        cell_key: [id | 0x20; 32],
        ceremony_key: [id | 0x40; 32],
        token_key: [id | 0x80; 32],
        operator: operator.into(),
        jurisdiction: jurisdiction.into(),
    }
}

fn tile() -> Tile {
    Tile { id: TileId(1), name: "Porto".into(), lat: 41.15, lng: -8.62, radius_m: 20_000 }
}

fn federation(independence: Independence, providers: Vec<ProviderEntry>) -> FederationDescriptor {
    FederationDescriptor::new("test", independence, Timestamp::from_secs(1), 100, tile(), providers)
}

fn three() -> Vec<ProviderEntry> {
    vec![entry(1, "Alpha", "FR"), entry(2, "Beta", "DE"), entry(3, "Gamma", "US")]
}

#[test]
fn three_independent_providers_are_a_federation() {
    let found = federation(Independence::Checked, three());
    assert_eq!(found.check(), Ok(()));
    assert_eq!((found.threshold, found.banner()), (2, None));
    let peers: Vec<u8> = found.peers_of(ProviderId::new(2).unwrap()).into_iter().map(ProviderId::get).collect();
    assert_eq!(peers, [3, 1]);
}

#[test]
fn fewer_than_three_are_refused() {
    let mut providers = three();
    providers.pop();
    let found = federation(Independence::Practice, providers).check();
    assert_eq!(found, Err(DescriptorError::TooFewProviders { named: 2 }));
}

#[test]
fn operators_and_jurisdictions_must_differ_unless_it_is_practice() {
    let (one, three_id) = (ProviderId::new(1).unwrap(), ProviderId::new(3).unwrap());
    let same_operator = || vec![entry(1, "Alpha  Ltd", "FR"), entry(2, "Beta", "DE"), entry(3, "alpha ltd", "US")];
    let shared = DescriptorError::SharedOperator { first: one, second: three_id };
    assert_eq!(federation(Independence::Checked, same_operator()).check(), Err(shared));
    let practice = federation(Independence::Practice, same_operator());
    assert_eq!((practice.check(), practice.banner()), (Ok(()), Some("all three operators are you: no privacy")));
    let one_state = vec![entry(1, "Alpha", "US-CA"), entry(2, "Beta", "DE"), entry(3, "Gamma", "us-NY")];
    let found = federation(Independence::Checked, one_state).check();
    assert!(matches!(found, Err(DescriptorError::Jurisdiction { count: 2, .. })), "{found:?}");
}

#[test]
fn with_threshold_three_two_may_share_a_jurisdiction() {
    let codes = ["FR", "FR", "DE", "DE", "CH"];
    let providers = (1..).zip(codes).map(|(id, code)| entry(id, &format!("operator {id}"), code)).collect();
    let found = federation(Independence::Checked, providers);
    assert_eq!((found.check(), found.threshold), (Ok(()), 3));
}

#[test]
fn shared_keys_are_refused_even_for_practice() {
    let mut providers = three();
    providers[2].cell_key = providers[0].signing_key;
    let found = federation(Independence::Practice, providers).check();
    assert!(matches!(found, Err(DescriptorError::SharedIdentity { .. })), "{found:?}");
}

#[test]
fn addresses_and_numbers_are_checked() {
    for url in ["http://h:1", "https://h", "https://h:0", "https://h:1/x", "https://u@h:1", "https://:1"] {
        let mut providers = three();
        providers[1].url = url.into();
        let found = federation(Independence::Practice, providers).check();
        assert!(matches!(found, Err(DescriptorError::Url { .. })), "{url}");
    }
    let mut found = federation(Independence::Checked, three());
    found.threshold = 3;
    assert_eq!(found.check(), Err(DescriptorError::Threshold));
    found.threshold = 1;
    assert_eq!(found.check(), Err(DescriptorError::Threshold));
    let mut found = federation(Independence::Checked, three());
    found.providers.swap(0, 1);
    assert_eq!(found.check(), Err(DescriptorError::Order));
    let mut found = federation(Independence::Checked, three());
    found.tile.lat = f64::NAN;
    assert_eq!(found.check(), Err(DescriptorError::Tile));
}

#[test]
fn an_operator_names_itself_and_a_real_law() {
    for (operator, law, practice) in
        [(" ", "FR", false), ("Alpha", "", false), ("Alpha", "EU", false), ("Alpha", "XX", true)]
    {
        let providers = || vec![entry(1, operator, law), entry(2, "Beta", "DE"), entry(3, "Gamma", "US")];
        let found = federation(Independence::Checked, providers()).check();
        assert!(matches!(found, Err(DescriptorError::Anonymous { .. })), "{operator} {law}: {found:?}");
        assert_eq!(federation(Independence::Practice, providers()).check().is_ok(), practice, "{operator} {law}");
    }
}

#[test]
fn only_a_load_that_tables_carry_may_be_declared() {
    let declared =
        |agents| FederationDescriptor { declared_agents: agents, ..federation(Independence::Checked, three()) };
    let Err(DescriptorError::Agents { most }) = declared(0).check() else { panic!("nobody to serve") };
    assert_eq!(declared(most).check(), Ok(()));
    assert_eq!(declared(most + 1).check(), Err(DescriptorError::Agents { most }));
    assert_eq!(declared(u32::MAX).check(), Err(DescriptorError::Agents { most }));
}
