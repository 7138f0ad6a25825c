//! The vault on a real disk.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::{fs, path::PathBuf};

use mosaic_types::Timestamp;
use mosaic_vault::{ChangePasswordError, CreateError, KdfCost, OpenError, Vault};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng as _};
use tempfile::TempDir;

const WORDS: &[u8] = b"coffee at the old mill, half past nine";

struct Place {
    _dir: TempDir,
    path: PathBuf,
    rng: ChaCha20Rng,
}

fn place() -> Place {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("vault");
    Place { _dir: dir, path, rng: ChaCha20Rng::seed_from_u64(7) }
}

fn filled(place: &mut Place) -> Vault {
    let mut vault = Vault::create_dangerously_cheap(&place.path, "secret", &mut place.rng).unwrap();
    vault.put("note", "a", WORDS, None).unwrap();
    vault.commit(&mut place.rng).unwrap();
    vault
}

#[test]
fn what_was_committed_comes_back_and_what_was_not_does_not() {
    let mut place = place();
    let mut vault = filled(&mut place);
    vault.put("note", "b", b"never committed", None).unwrap();
    drop(vault);
    let vault = Vault::open(&place.path, "secret").unwrap();
    assert_eq!(vault.get("note", "a").unwrap().unwrap().as_slice(), WORDS);
    assert!(vault.get("note", "b").unwrap().is_none());
    assert_eq!(vault.list("note").unwrap().len(), 1);
}

#[test]
fn items_are_deleted_on_time() {
    let mut place = place();
    let mut vault = filled(&mut place);
    vault.put("note", "soon", b"x", Some(Timestamp::from_secs(100))).unwrap();
    vault.put("note", "later", b"x", Some(Timestamp::from_secs(101))).unwrap();
    assert_eq!(vault.expire(Timestamp::from_secs(100)).unwrap(), 1);
    let left: Vec<_> = vault.list("note").unwrap().into_iter().map(|item| item.id).collect();
    assert_eq!(left, ["a", "later"]);
    assert_eq!((vault.delete("note", "a").unwrap(), vault.delete("note", "a").unwrap()), (1, 0));
}

#[test]
fn a_wrong_password_and_a_damaged_file_are_different_and_change_nothing() {
    let mut place = place();
    drop(filled(&mut place));
    let whole = fs::read(&place.path).unwrap();
    assert!(matches!(Vault::open(&place.path, "Secret"), Err(OpenError::WrongPassword)));
    assert_eq!(fs::read(&place.path).unwrap(), whole);

    for at in [8, 20, 40, 60, 70, 100, 1_000, whole.len() - 40, whole.len() - 1] {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        fs::write(&place.path, &damaged).unwrap();
        assert!(matches!(Vault::open(&place.path, "secret"), Err(OpenError::Damaged)), "byte {at}");
        assert_eq!(fs::read(&place.path).unwrap(), damaged);
    }
    fs::write(&place.path, &whole[..whole.len() - 1]).unwrap();
    assert!(matches!(Vault::open(&place.path, "secret"), Err(OpenError::Damaged)));
    fs::write(&place.path, "dear diary").unwrap();
    assert!(matches!(Vault::open(&place.path, "secret"), Err(OpenError::NotAVault)));
    fs::remove_file(&place.path).unwrap();
    assert!(matches!(Vault::open(&place.path, "secret"), Err(OpenError::Missing)));
}

/// A commit writes `vault.new` and renames it. Cut that file at every byte: the vault is untouched, it
/// opens, and the next commit goes through.
#[test]
fn a_torn_write_leaves_the_old_vault() {
    let mut place = place();
    let vault = filled(&mut place);
    let old = fs::read(&place.path).unwrap();
    vault.commit(&mut place.rng).unwrap();
    let new = fs::read(&place.path).unwrap();
    drop(vault);
    assert_ne!(old, new);

    fs::write(&place.path, &old).unwrap();
    let torn = place.path.with_extension("new");
    let file = fs::File::create(&torn).unwrap();
    for length in 0..=new.len() {
        std::os::unix::fs::FileExt::write_all_at(
            &file,
            &new[length.saturating_sub(1)..length],
            length.saturating_sub(1) as u64,
        )
        .unwrap();
        if length % 1_021 == 0 || length == new.len() {
            let vault = Vault::open(&place.path, "secret").unwrap();
            assert_eq!(vault.get("note", "a").unwrap().unwrap().as_slice(), WORDS, "torn at {length}");
        }
        assert!(length % 127 != 0 || fs::read(&place.path).unwrap() == old, "torn at {length}");
    }
    let vault = Vault::open(&place.path, "secret").unwrap();
    vault.commit(&mut place.rng).unwrap();
    assert!(!torn.exists());
}

#[test]
fn a_commit_that_the_disk_refuses_loses_nothing() {
    let mut place = place();
    let mut vault = filled(&mut place);
    vault.put("note", "b", b"second", None).unwrap();
    let blocker = place.path.with_extension("new");
    fs::create_dir(&blocker).unwrap();
    assert!(vault.commit(&mut place.rng).is_err());
    assert!(matches!(vault.change_password("other", &mut place.rng), Err(ChangePasswordError::Commit(_))));
    fs::remove_dir(&blocker).unwrap();
    vault.lock(&mut place.rng).map_err(|(_, error)| error).unwrap();
    let vault = Vault::open(&place.path, "secret").unwrap();
    assert_eq!(vault.list("note").unwrap().len(), 2);
}

#[test]
fn nothing_readable_is_on_the_disk_and_sizes_are_powers_of_two() {
    let mut place = place();
    let mut vault = filled(&mut place);
    for count in [0, 50, 500] {
        for at in 0..count {
            vault.put("note", &format!("n{at}"), WORDS, None).unwrap();
        }
        vault.commit(&mut place.rng).unwrap();
        let file = fs::read(&place.path).unwrap();
        assert!(file.len().is_power_of_two() && file.len() >= 32 * 1_024);
        for clear in [&b"SQLite"[..], b"items", b"note", &WORDS[..8]] {
            assert!(!file.windows(clear.len()).any(|window| window == clear));
        }
        assert!(chi_square(&file[64..]) < 377.0, "bytes are not uniform");
    }
}

/// Pearson's statistic of byte counts against uniform: 255 degrees of freedom, 377 is the 1 - 1e-6
/// quantile; the seed is fixed, so the outcome is too.
fn chi_square(bytes: &[u8]) -> f64 {
    let mut counts = [0_f64; 256];
    bytes.iter().for_each(|byte| counts[usize::from(*byte)] += 1.0);
    let expected = bytes.len() as f64 / 256.0;
    counts.iter().map(|count| (count - expected).powi(2) / expected).sum()
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read_and_only_one_process_may_open() {
    use std::os::unix::fs::PermissionsExt as _;
    let mut place = place();
    let vault = filled(&mut place);
    assert_eq!(fs::metadata(&place.path).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(matches!(Vault::open(&place.path, "secret"), Err(OpenError::InUse)));
    drop(vault);
    assert!(matches!(Vault::create_dangerously_cheap(&place.path, "other", &mut place.rng), Err(CreateError::Exists)));
    assert!(Vault::open(&place.path, "secret").is_ok());
}

/// One run at the standard cost: 64 MiB, three passes.
#[test]
fn a_new_password_takes_a_new_key_at_the_standard_cost() {
    let mut place = place();
    let mut vault = filled(&mut place);
    assert!(vault.cost().is_weak());
    assert!(matches!(vault.change_password("", &mut place.rng), Err(ChangePasswordError::EmptyPassword)));
    vault.change_password("a longer one", &mut place.rng).unwrap();
    assert_eq!(vault.cost(), KdfCost::STANDARD);
    drop(vault);
    assert!(matches!(Vault::open(&place.path, "secret"), Err(OpenError::WrongPassword)));
    let vault = Vault::open(&place.path, "a longer one").unwrap();
    assert_eq!(vault.get("note", "a").unwrap().unwrap().as_slice(), WORDS);
    assert!(matches!(Vault::create(&place.path, "", &mut place.rng), Err(CreateError::EmptyPassword)));
}
