//! The table of archives that mean harm.

use std::io::{Cursor, Read};

use tar::{EntryType, Header};

use super::super::Limits;
use super::tape::{Tape, gzip, put};

pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) archive: Box<dyn Read>,
    pub(super) limits: Limits,
    /// A part of the refusal; `None` for what is harmless as it is unpacked.
    pub(super) refused: Option<&'static str>,
}

fn case(name: &'static str, tape: Tape, refused: impl Into<Option<&'static str>>) -> Case {
    raw(name, tape.gzip(), refused)
}

fn raw(name: &'static str, bytes: Vec<u8>, refused: impl Into<Option<&'static str>>) -> Case {
    Case { name, archive: Box::new(Cursor::new(bytes)), limits: Limits::default(), refused: refused.into() }
}

fn tape() -> Tape {
    Tape::new().folder("top/")
}

/// All of them; `yard` is the absolute path of the folder around.
pub(super) fn table(yard: &str) -> Vec<Case> {
    [names(yard), symbolic_links(yard), hard_links(yard), kinds(), doubles(), amounts(), formats()]
        .into_iter()
        .flatten()
        .collect()
}

fn names(yard: &str) -> Vec<Case> {
    let evil = format!("{yard}/evil");
    let prefixed = |prefix: &str, name: &str| {
        Tape::new().header(
            |header| {
                *header = Header::new_ustar();
                header.set_mode(0o644);
                header.set_size(0);
                header.set_entry_type(EntryType::Regular);
                put(&mut header.as_ustar_mut().unwrap().prefix, prefix.as_bytes());
                put(&mut header.as_old_mut().name, name.as_bytes());
            },
            b"",
        )
    };
    let pax = |path: &[u8]| tape().pax(false, &[("path", path)]).file("top/x");
    let gnu = |path: &str| {
        tape().member(EntryType::GNULongName, "././@LongLink", "", path.as_bytes()).file("top/x")
    };
    let deep = format!("top{}/x", "/d".repeat(300));
    vec![
        case("up-first", Tape::new().file("../evil"), "leads out"),
        case("up-as-top", Tape::new().folder("../").file("../evil"), "leads out"),
        case("up-inside", tape().file("top/../../evil"), "leads out"),
        case("up-and-down-again", tape().file("top/../../actions/v1.completed"), "leads out"),
        case("up-last", tape().folder("top/a/.."), "leads out"),
        case("up-after-dot", Tape::new().file("./../evil"), "leads out"),
        case("absolute", Tape::new().file(&evil), "absolute"),
        case("absolute-twice", Tape::new().file(&format!("/{evil}")), "absolute"),
        case("absolute-folder", Tape::new().folder(&format!("{yard}/victim")), "absolute"),
        case("pax-absolute", pax(evil.as_bytes()), "absolute"),
        case("pax-up", pax(b"top/../../evil"), "leads out"),
        case("pax-nul", pax(b"top/a\0b"), "NUL"),
        case("pax-empty", pax(b""), "is no name"),
        case("gnu-absolute", gnu(&evil), "absolute"),
        case("gnu-up", gnu("top/../../evil\0"), "leads out"),
        case("prefix-absolute", prefixed(yard, "evil"), "absolute"),
        case("prefix-up", prefixed("top/..", "../evil"), "leads out"),
        case("two-tops", tape().file("other/evil"), "one folder"),
        case("top-in-other-case", tape().file("TOP/evil"), "one folder"),
        case("no-top", Tape::new().file("evil"), "is not in a folder"),
        case("dot-as-top", Tape::new().file("./evil"), "is not in a folder"),
        case("backslashes", tape().file("top/..\\..\\evil"), None),
        case(
            "control-characters",
            tape().file("top/\x1b[2J\n/../evil"),
            "`top/\\x1b[2J\\n/../evil` leads out",
        ),
        case("part-too-long", pax(format!("top/{}", "n".repeat(256)).as_bytes()), "too long"),
        case("path-too-long", pax(format!("top/{}", "n/".repeat(3000)).as_bytes()), "too long"),
        case("too-deep", pax(deep.as_bytes()), "too many folders"),
    ]
}

fn symbolic_links(yard: &str) -> Vec<Case> {
    let out = format!("{yard}/victim");
    let link = |name: &str, target: &str| tape().symlink(name, target);
    vec![
        case("link-absolute", link("top/l", &out), "leads out"),
        case("link-up", link("top/l", "../../victim"), "leads out"),
        case("link-to-above", link("top/l", ".."), "leads out"),
        case("link-up-from-below", link("top/a/b/l", "../../../../victim"), "leads out"),
        case("link-up-after-down", link("top/l", "a/../../victim"), "leads out"),
        case("link-up-behind-link", link("top/a/l", ".").symlink("top/m", "a/l/../.."), "leads out"),
        case("link-empty", tape().pax(false, &[("linkpath", b"")]).symlink("top/l", "x"), "leads out"),
        case(
            "link-pax",
            tape().pax(false, &[("linkpath", out.as_bytes())]).symlink("top/l", "x"),
            "leads out",
        ),
        case(
            "link-gnu",
            tape().member(EntryType::GNULongLink, "././@LongLink", "", out.as_bytes()).symlink("top/l", "x"),
            "leads out",
        ),
        case(
            "link-nul",
            tape().pax(false, &[("linkpath", b"a\0/../../..")]).symlink("top/l", "x"),
            "leads out",
        ),
        case("file-through-link-out", link("top/l", &out).file("top/l/evil"), "leads out"),
        case("file-through-link", link("top/l", "a").folder("top/a").file("top/l/evil"), "is a link already"),
        case(
            "folder-through-link",
            link("top/l", "a").folder("top/a").folder("top/l/b"),
            "is a link already",
        ),
        case("file-over-link", link("top/l", "a").file("top/l"), "is a link already"),
        case("folder-over-link", link("top/l", "a").folder("top/l").file("top/l/evil"), "is a link already"),
        case("link-over-folder", tape().folder("top/a").symlink("top/a", "b"), "is there already"),
        case("link-over-file", tape().file("top/a").symlink("top/a", "b"), "is a file already"),
        case("link-as-top", Tape::new().symlink("top", &out).file("top/evil"), "is not in a folder"),
        case("link-to-itself", link("top/l", "l").symlink("top/m", "n").symlink("top/n", "m"), None),
    ]
}

fn hard_links(yard: &str) -> Vec<Case> {
    let file = format!("{yard}/victim/file");
    let link = |target: &str| tape().file("top/a").hard_link("top/l", target);
    vec![
        case("hard-absolute", link(&file), "absolute"),
        case("hard-up", link("top/../../victim/file"), "leads out"),
        case("hard-other-top", link("other/a"), "one folder"),
        case("hard-to-later", tape().hard_link("top/l", "top/a").file("top/a"), "no file before it"),
        case("hard-to-itself", tape().hard_link("top/l", "top/l"), "no file before it"),
        case("hard-to-folder", tape().folder("top/d").hard_link("top/l", "top/d"), "no file before it"),
        case("hard-to-link", tape().symlink("top/s", "a").hard_link("top/l", "top/s"), "no file before it"),
        case("hard-over-file", tape().file("top/a").file("top/b").hard_link("top/b", "top/a"), "already"),
        case(
            "hard-pax",
            tape().file("top/a").pax(false, &[("linkpath", file.as_bytes())]).hard_link("top/l", "top/a"),
            "absolute",
        ),
    ]
}

fn kinds() -> Vec<Case> {
    let kind = |kind| tape().member(kind, "top/x", "", b"");
    vec![
        case("character-device", kind(EntryType::Char), "a device"),
        case("block-device", kind(EntryType::Block), "a device"),
        case("named-pipe", kind(EntryType::Fifo), "a named pipe"),
        case("sparse", kind(EntryType::GNUSparse), "a sparse file"),
        case("sparse-pax", tape().pax(false, &[("GNU.sparse.major", b"1")]).file("top/x"), "a sparse file"),
        case("volume", kind(EntryType::new(b'V')), "neither file, folder nor link"),
        case("part-of-a-file", kind(EntryType::new(b'M')), "neither file, folder nor link"),
        case("setuid", tape().mode("top/x", 0o4755), None),
        case("setgid", tape().mode("top/x", 0o2755), None),
        case("sticky-for-all", tape().mode("top/x", 0o7777), None),
        case(
            "setuid-folder",
            Tape::new().header(
                |header| {
                    header.set_entry_type(EntryType::Directory);
                    put(&mut header.as_old_mut().name, b"top/x");
                    header.set_mode(0o7777);
                },
                b"",
            ),
            None,
        ),
    ]
}

fn doubles() -> Vec<Case> {
    vec![
        case("file-twice", tape().file("top/a").file("top/a"), "is a file already"),
        case("file-twice-written-otherwise", tape().file("top/a").file("top/.//a"), "is a file already"),
        case("folder-twice", tape().folder("top/a").folder("top/a/"), "is there already"),
        case("file-below-file", tape().file("top/a").file("top/a/b"), "is a file already"),
        case("file-over-folder", tape().file("top/a/b").file("top/a"), "is there already"),
        case("case-of-files", tape().file("top/Read").file("top/read"), "but the case"),
        case("case-of-folders", tape().file("top/Src/a").file("top/src/b"), "but the case"),
        case("case-of-link", tape().symlink("top/L", "a").file("top/l"), "but the case"),
        case("case-beyond-ascii", tape().file("top/Ä").file("top/ä"), "but the case"),
        case(
            "name-twice",
            tape().pax(false, &[("path", b"top/a"), ("path", b"top/b")]).file("x"),
            "names one file twice",
        ),
        case(
            "name-twice-in-two-formats",
            tape()
                .member(EntryType::GNULongName, "l", "", b"top/a")
                .pax(false, &[("path", b"top/b")])
                .file("x"),
            "names one file twice",
        ),
    ]
}

fn amounts() -> Vec<Case> {
    let small = Limits { unpacked_bytes: 20, entries: 50, names_bytes: 1000, ..Limits::default() };
    let sized = |size: u64| {
        tape().header(
            |header| {
                put(&mut header.as_old_mut().name, b"top/x");
                header.set_size(size);
            },
            b"",
        )
    };
    let many =
        |count: u32, name: &dyn Fn(u32) -> String| (0..count).fold(tape(), |tape, n| tape.folder(&name(n)));
    let record = tape().header(
        |header| {
            header.set_entry_type(EntryType::XHeader);
            header.set_size(1 << 20);
        },
        b"",
    );
    let gnu_record = tape().header(
        |header| {
            header.set_entry_type(EntryType::GNULongName);
            header.set_size(3 << 30);
        },
        b"",
    );
    let limited = |case: Case| Case { limits: small, ..case };
    let zeros = |name, tape: Tape, refused: &'static str| Case {
        archive: tape.then_zeros(100 << 30),
        ..raw(name, Vec::new(), refused)
    };
    vec![
        zeros("zeros-in-a-file", sized(100 << 30), "too large"),
        zeros("zeros-in-a-record", record, "too much"),
        zeros("zeros-in-a-long-name", gnu_record, "too much"),
        zeros("zeros-behind-the-end", tape().file("top/a"), "goes on after its end"),
        zeros("zeros-alone", Tape::new(), "nothing is in it"),
        zeros(
            "size-of-a-folder",
            tape().header(
                |header| {
                    header.set_entry_type(EntryType::Directory);
                    put(&mut header.as_old_mut().name, b"top/d");
                    header.set_size(100 << 30);
                },
                b"",
            ),
            "too large",
        ),
        case("size-without-end", sized(u64::MAX), "cannot be read"),
        case("size-that-just-fits", sized(u64::MAX - 4096), "too large"),
        limited(case(
            "large-together",
            (0..6).fold(tape(), |tape, n| tape.file(&format!("top/{n}"))),
            "too large",
        )),
        limited(case("many", many(60, &|n| format!("top/{n}")), "too many entries")),
        Case {
            limits: Limits { names_bytes: 60, ..small },
            ..case("long-names", many(10, &|n| format!("top/{n}234567890")), "names are too long")
        },
    ]
}

fn formats() -> Vec<Case> {
    let broken_header = |at: usize, byte: u8| {
        let mut bytes = tape().file("top/a").end();
        bytes[at] = byte;
        gzip(&bytes)
    };
    let record = |text: &[u8]| tape().member(EntryType::XHeader, "pax", "", text).file("top/a");
    let two_ends = {
        let mut bytes = tape().file("top/a").end();
        bytes.extend(tape().file("top/../../evil").end());
        gzip(&bytes)
    };
    let two_members = [tape().file("top/a").gzip(), Tape::new().file("../evil").gzip()].concat();
    let two_sizes = tape().pax(false, &[("size", b"1024")]).file("top/a");
    vec![
        raw("checksum", broken_header(512 + 1, b'x'), "cannot be read"),
        raw(
            "size-that-is-none",
            gzip(&tape().header(|header| put(&mut header.as_old_mut().size, b"nine"), b"").end()),
            "cannot be read",
        ),
        raw("hidden-behind-the-end", two_ends, "goes on after its end"),
        raw("second-gzip", two_members, "follows after its end"),
        raw("no-gzip", b"<!DOCTYPE html><p>Sign in</p>".to_vec(), "cannot be read"),
        raw("no-tar", gzip(&[7; 4096]), "cannot be read"),
        case("two-sizes", two_sizes, "a second place"),
        case("record-without-length", record(b"path=top/a\n"), "cannot be read"),
        case("record-longer-than-it-is", record(b"99 path=top/a\n"), "cannot be read"),
        case("record-of-no-length", record(b"0 path=top/a\n"), "cannot be read"),
        case("record-without-key", record(b"8 abcde\n"), "cannot be read"),
        case("name-without-file", tape().pax(false, &[("path", b"top/a")]), "ends after a name"),
        case("nothing", Tape::new(), "nothing is in it"),
    ]
}
