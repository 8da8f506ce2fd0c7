//! The corpus, and what chance makes of it, without a fuzzer. `ROLLCALL_MUTATIONS` says how much of that for each input.

use std::{fs, path::Path};

use e2e::{SeededRng, how_much};

/// How often each input is changed in the usual run.
const MUTATIONS: u64 = 60;

/// Calls a target with its corpus, changed and unchanged.
fn drive(target: fn(&[u8]), name: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(name);
    let mut inputs: Vec<_> =
        fs::read_dir(folder).expect("a corpus").map(|entry| entry.expect("a file").path()).collect();
    inputs.sort();
    let inputs: Vec<Vec<u8>> = inputs.iter().map(|path| fs::read(path).expect("an input")).collect();
    assert!(!inputs.is_empty(), "{name} has no corpus");
    let mutations = how_much("ROLLCALL_MUTATIONS", MUTATIONS);
    for (at, input) in inputs.iter().enumerate() {
        target(input);
        for seed in 0..mutations {
            let draws = SeededRng::of(seed * 1_000 + at as u64);
            let changed = mutate(input, &inputs, &draws);
            if let Err(panic) = std::panic::catch_unwind(|| target(&changed)) {
                eprintln!("{name} with {}", changed.escape_ascii());
                std::panic::resume_unwind(panic);
            }
        }
    }
}

/// Cuts, repeats, exchanges and mixes.
fn mutate(input: &[u8], others: &[Vec<u8>], draws: &SeededRng) -> Vec<u8> {
    const ODD: [&[u8]; 16] = [
        b"\"",
        b",",
        b";",
        b"\t",
        b"\n",
        b"\r",
        b"\0",
        b"\xff",
        b"\xc3",
        b"'",
        b"=",
        b"+",
        b"{",
        b"[",
        "\u{feff}".as_bytes(),
        b"E9",
    ];
    let mut bytes = input.to_vec();
    let place = |most: usize| usize::try_from(draws.below(most as u64 + 1)).expect("a place");
    for _ in 0..=draws.below(6) {
        let at = place(bytes.len());
        match draws.below(6) {
            0 => bytes.truncate(at),
            1 => _ = bytes.splice(at..at, draws.pick(&ODD).iter().copied()),
            2 if at < bytes.len() => bytes[at] = u8::try_from(draws.below(256)).expect("a byte"),
            3 => {
                let other = draws.pick(others);
                let from = place(other.len());
                bytes.splice(at..at, other[from..].iter().copied());
            }
            4 => _ = bytes.drain(at..(at + place(20)).min(bytes.len())),
            _ => {
                let again = bytes[at..(at + place(40)).min(bytes.len())].to_vec();
                bytes.splice(at..at, again);
            }
        }
    }
    bytes
}

macro_rules! targets {
    ($($name:ident)*) => {$(
        #[test]
        fn $name() {
            drive(super::$name, stringify!($name));
        }
    )*};
}

targets!(csv_reader csv_differential numbers events cursors merge_patch templates);
