use super::*;
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use tar::{Builder, Header};

/// One entry of an archive made by hand, with nothing that a careful tool would refuse to write.
struct Made {
    path: &'static str,
    kind: EntryType,
    content: Vec<u8>,
    mode: u32,
}

fn made(path: &'static str, kind: EntryType) -> Made {
    Made { path, kind, content: Vec::new(), mode: 0o644 }
}

fn file(path: &'static str, content: impl Into<Vec<u8>>) -> Made {
    Made { content: content.into(), ..made(path, EntryType::Regular) }
}

fn tar(entries: Vec<Made>) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for entry in entries {
        let mut header = Header::new_ustar();
        header.as_old_mut().name[..entry.path.len()].copy_from_slice(entry.path.as_bytes());
        header.set_entry_type(entry.kind);
        header.set_mode(entry.mode);
        header.set_size(entry.content.len() as u64);
        if matches!(entry.kind, EntryType::Symlink | EntryType::Link) {
            header.set_link_name("/etc/passwd").unwrap();
        }
        header.set_cksum();
        builder.append(&header, entry.content.as_slice()).unwrap();
    }
    builder.into_inner().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

const LIMITS: Limits =
    Limits { compressed_bytes: 100_000, extracted_bytes: 3000, entries: 5, entry_bytes: 2000 };

#[test]
fn attacks_are_refused() {
    let pack = || file("pack.yaml", "ref: demo");
    let rows: Vec<(&str, Vec<Made>, &str)> = vec![
        (
            "absolute",
            vec![file("/tmp/x", "x")],
            "'/tmp/x' in the archive is not a path inside the pack",
        ),
        (
            "parent",
            vec![file("a/../../x", "x")],
            "'a/../../x' in the archive is not a path inside the pack",
        ),
        (
            "backslash",
            vec![file("..\\x", "x")],
            "'..\\x' in the archive is not a path inside the pack",
        ),
        (
            "root as a file",
            vec![file(".", "x")],
            "'.' in the archive is not a path inside the pack",
        ),
        (
            "symlink",
            vec![pack(), made("l", EntryType::Symlink)],
            "'l' in the archive is neither a file nor a folder but a symbolic link",
        ),
        (
            "hard link",
            vec![pack(), made("l", EntryType::Link)],
            "'l' in the archive is neither a file nor a folder but a hard link",
        ),
        (
            "character device",
            vec![made("d", EntryType::Char)],
            "'d' in the archive is neither a file nor a folder but a device",
        ),
        (
            "block device",
            vec![made("d", EntryType::Block)],
            "'d' in the archive is neither a file nor a folder but a device",
        ),
        (
            "FIFO",
            vec![made("f", EntryType::Fifo)],
            "'f' in the archive is neither a file nor a folder but a FIFO",
        ),
        (
            "unknown type",
            vec![made("u", EntryType::new(b'Z'))],
            "'u' in the archive is neither a file nor a folder but a special entry",
        ),
        (
            "twice",
            vec![pack(), file("./pack.yaml", "ref: other")],
            "'./pack.yaml' is in the archive twice",
        ),
        (
            "folder twice",
            vec![made("a/", EntryType::Directory), made("a", EntryType::Directory)],
            "'a' is in the archive twice",
        ),
        (
            "a file as a folder",
            vec![file("a", "x"), file("a/b", "x")],
            "cannot write 'a/b' of the archive",
        ),
        (
            "one entry too large",
            vec![pack(), file("big", vec![0; 2001])],
            "'big' in the archive is larger than 2000 bytes",
        ),
        (
            "too large together",
            vec![pack(), file("a", vec![0; 2000]), file("b", vec![0; 1000])],
            "the archive holds more than 3000 bytes",
        ),
        (
            "too many",
            vec![pack(), file("a", ""), file("b", ""), file("c", ""), file("d", ""), file("e", "")],
            "the archive has more than 5 entries",
        ),
        (
            "no manifest",
            vec![file("a/b/pack.yaml", "ref: demo")],
            "the archive has no pack.yaml, neither at its root nor in a folder of its root",
        ),
        (
            "several packs",
            vec![file("a/pack.yaml", ""), file("b/pack.yaml", "")],
            "the archive holds several packs: pack.yaml is in more than one folder of its root",
        ),
    ];
    for (what, entries, message) in rows {
        let home = tempfile::tempdir().unwrap();
        let error =
            extract(gzip(&tar(entries)).as_slice(), &home.path().join("in"), LIMITS).unwrap_err();
        assert_eq!(error.to_string(), message, "{what}");
        let outside = fs::read_dir(home.path()).unwrap().count();
        assert_eq!(outside, 1, "{what} wrote outside its folder");
    }
}

#[test]
fn headers_are_not_believed() {
    let home = tempfile::tempdir().unwrap();
    // A long-name entry, which the reader keeps in memory, of zeros that compress to nearly nothing.
    let bomb = gzip(&tar(vec![Made {
        content: vec![b'a'; 3 << 20],
        ..made("././@LongLink", EntryType::GNULongName)
    }]));
    let error = extract(bomb.as_slice(), &home.path().join("bomb"), LIMITS).unwrap_err();
    assert!(matches!(error, Error::Extracted(3000)), "{error}");

    let noise: Vec<u8> =
        (0..2000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let incompressible = gzip(&tar(vec![file("pack.yaml", noise)]));
    let limits = Limits { compressed_bytes: 500, ..LIMITS };
    let error = extract(incompressible.as_slice(), &home.path().join("long"), limits).unwrap_err();
    assert!(matches!(error, Error::Compressed(500)), "{error}");

    let whole = gzip(&tar(vec![file("pack.yaml", "ref: demo")]));
    for (what, bytes) in [
        ("cut short", &whole[..whole.len() - 9]),
        ("not gzip", b"ref: demo".as_slice()),
        ("empty", b"".as_slice()),
    ] {
        let error = extract(bytes, &home.path().join(what), LIMITS).unwrap_err();
        assert!(matches!(error, Error::Malformed(_) | Error::NoManifest), "{what}: {error}");
    }
}

#[test]
fn a_pack_comes_out_as_plain_files() {
    for (what, prefix, note) in [("at the root", "", false), ("in one folder", "demo-1.0/", true)] {
        let home = tempfile::tempdir().unwrap();
        let name = |path: &str| -> &'static str { format!("{prefix}{path}").leak() };
        let mut entries = vec![
            made("./", EntryType::Directory),
            file(name("pack.yaml"), "ref: demo"),
            Made { mode: 0o4755, ..file(name("actions/a.sh"), "echo") },
        ];
        if note {
            entries.insert(0, file("pax_global_header", "18 comment=abcdef\n"));
            entries[0].kind = EntryType::XGlobalHeader;
        }
        let root = extract(gzip(&tar(entries)).as_slice(), home.path(), LIMITS).unwrap();
        assert_eq!(
            root,
            home.path().join(prefix.trim_end_matches('/')).components().collect::<PathBuf>(),
            "{what}"
        );
        let script = root.join("actions/a.sh");
        assert_eq!(fs::read_to_string(&script).unwrap(), "echo", "{what}");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(&script).unwrap().permissions().mode();
            assert_eq!(mode & 0o7111, 0, "{what}: no mode is restored");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_leave_by_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..2048)) {
        let home = tempfile::tempdir().unwrap();
        prop_assert!(extract(bytes.as_slice(), &home.path().join("raw"), LIMITS).is_err());
        prop_assert!(extract(gzip(&bytes).as_slice(), &home.path().join("gzip"), LIMITS).is_err());
    }

    #[test]
    fn damage_never_writes_outside(at in 0_usize..2048, with in any::<u8>()) {
        let home = tempfile::tempdir().unwrap();
        let mut bytes = tar(vec![file("pack.yaml", "ref: demo"), file("a", "x")]);
        let at = at % bytes.len();
        bytes[at] = with;
        let unpacked = extract(gzip(&bytes).as_slice(), &home.path().join("in"), LIMITS);
        if let Ok(root) = unpacked {
            prop_assert!(root.starts_with(home.path()));
        }
        prop_assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
    }
}
