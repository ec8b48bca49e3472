//! Vault: secrets at rest.

use super::{Ending, Fixture, Options};
use attune_domain::sealed::Sealed;

const PLAIN: &[u8] = b"{\"password\":\"correct horse\"}";

/// What comes out is what went in; what lies in between tells nothing, not even that two are alike.
pub async fn what_is_sealed_can_be_opened<F: Fixture>() {
    let fixture = F::fresh(Options::default()).await;
    let vault = &fixture.ports().vault;
    for plain in [&b""[..], b"x", PLAIN, &[0; 100_000]] {
        let sealed = vault.seal("execution/1", plain).await.expect("it can be sealed");
        assert_eq!(vault.open("execution/1", &sealed).await.expect("it opens"), plain);
        let again = vault.seal("execution/1", plain).await.expect("it can be sealed");
        assert_ne!(again, sealed, "sealed twice, it looks different");
    }
    let sealed = vault.seal("execution/1", PLAIN).await.expect("it can be sealed");
    let stored = serde_json::to_string(&sealed).expect("it can be stored");
    assert!(!stored.contains("horse") && !format!("{sealed:?}").contains(&sealed.text));
}

/// A sealed value is bound to its context.
pub async fn a_sealed_value_opens_nowhere_else<F: Fixture>() {
    let fixture = F::fresh(Options::default()).await;
    let vault = &fixture.ports().vault;
    let sealed = vault.seal("execution/1", PLAIN).await.expect("it can be sealed");
    for context in ["execution/2", "execution/", "", "EXECUTION/1", "execution/1 "] {
        let error = vault.open(context, &sealed).await.expect_err(context);
        assert!(!error.to_string().contains("horse"), "{error}");
    }
}

/// One digit changed, missing or added, or another key named: it does not open.
pub async fn a_changed_value_does_not_open<F: Fixture>() {
    let fixture = F::fresh(Options::default()).await;
    let vault = &fixture.ports().vault;
    let sealed = vault.seal("c", PLAIN).await.expect("it can be sealed");
    let text = |text: String| Sealed { text, ..sealed.clone() };
    let flipped = |at: usize| {
        let mut bytes = sealed.text.clone().into_bytes();
        bytes[at] = if bytes[at] == b'0' { b'1' } else { b'0' };
        text(String::from_utf8(bytes).expect("still text"))
    };
    let length = sealed.text.len();
    for (case, changed) in [
        ("its first digit", flipped(0)),
        ("a digit in the middle", flipped(length / 2)),
        ("its last digit", flipped(length - 1)),
        ("cut short", text(sealed.text[..length - 2].to_owned())),
        ("cut to almost nothing", text(sealed.text[..8].to_owned())),
        ("longer", text(format!("{}00", sealed.text))),
        ("empty", text(String::new())),
        ("no text of ours", text("zz".repeat(length / 2))),
        ("another key", Sealed { key: "none of ours".into(), ..sealed.clone() }),
    ] {
        assert!(vault.open("c", &changed).await.is_err(), "{case}");
    }
    assert_eq!(vault.open("c", &sealed).await.expect("unchanged, it opens"), PLAIN);
}

/// After a crash the keys are the same; another deployment's are not.
pub async fn keys_survive_a_restart<F: Fixture>() {
    let mut fixture = F::fresh(Options::default()).await;
    let other = F::fresh(Options::default()).await;
    let sealed = fixture.ports().vault.seal("c", PLAIN).await.expect("it can be sealed");
    let token_key = fixture.ports().vault.token_key().await.expect("there is one");
    assert!(token_key.len() >= 32);
    for ending in [Ending::Crash, Ending::Clean] {
        fixture.restart(ending).await;
        let vault = &fixture.ports().vault;
        assert_eq!(vault.open("c", &sealed).await.expect("it opens"), PLAIN, "{ending:?}");
        assert_eq!(vault.token_key().await.expect("there is one"), token_key, "{ending:?}");
    }
    assert!(other.ports().vault.open("c", &sealed).await.is_err());
    assert_ne!(other.ports().vault.token_key().await.expect("there is one"), token_key);
}

/// Nobody but the server reads the keys.
pub async fn keys_are_private<F: Fixture>() {
    let mut fixture = F::fresh(Options::default()).await;
    fixture.check_keys_are_private().await;
    fixture.restart(Ending::Clean).await;
    fixture.check_keys_are_private().await;
}
