//! Packs the files of `web/` into the binary: each without comments and indentation, and compressed as well, under one version that is a hash of
//! them all. There is nothing to build: every file is served under its own name, line by line as it was written.

#[path = "build/strip.rs"]
mod strip;

use std::{
    env,
    fmt::Write as _,
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use flate2::{Compression, write::GzEncoder};
use sha2::{Digest, Sha256};

/// How the names of files end that editors and `tsc` alone read.
const TYPES: &str = ".d.ts";
/// Hex digits of the hash: enough that two versions never meet.
const VERSION_DIGITS: usize = 16;

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=web");
    println!("cargo::rerun-if-changed=build");
    let web = Path::new(&env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?).join("web");
    let out = PathBuf::from(env::var("OUT_DIR").map_err(io::Error::other)?);
    let mut files = Vec::new();
    collect(&web, &mut files)?;
    files.sort();

    let mut hash = Sha256::new();
    for file in &files {
        hash.update(name(&web, file));
        hash.update([0]);
        hash.update(fs::read(file)?);
    }
    let version = &hex::encode(hash.finalize())[..VERSION_DIGITS];

    let mut table = format!(
        "/// A hash of all files: their addresses change when any of them does.\n\
         pub(crate) const VERSION: &str = {version:?};\n\n\
         /// Every file, in the order of their names.\n\
         pub(crate) const FILES: &[File] = &[\n"
    );
    for (index, file) in files.iter().enumerate() {
        let mut text = fs::read(file)?;
        let name = name(&web, file);
        if name == "index.html" {
            text = page(&text, version, &web, &files)?;
        }
        text = stripped(&name, text)?;
        let (plain, compressed) = (out.join(format!("{index}.plain")), out.join(format!("{index}.gz")));
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&text)?;
        fs::write(&compressed, encoder.finish()?)?;
        fs::write(&plain, text)?;
        let (plain, compressed) = (plain.display().to_string(), compressed.display().to_string());
        let _ = writeln!(
            table,
            "    File {{ name: {name:?}, plain: include_bytes!({plain:?}), gzip: include_bytes!({compressed:?}) }},"
        );
    }
    table.push_str("];\n");
    fs::write(out.join("files.rs"), table)
}

/// A file as it is served. What others have written is served as they published it, with what their licences want to be seen.
fn stripped(name: &str, text: Vec<u8>) -> io::Result<Vec<u8>> {
    let strip = match name.rsplit_once('.') {
        _ if name.starts_with("vendor/") => return Ok(text),
        Some((_, "js")) => strip::script,
        Some((_, "css")) => strip::style,
        _ => return Ok(text),
    };
    Ok(strip(&String::from_utf8(text).map_err(io::Error::other)?).into_bytes())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if !path.to_string_lossy().ends_with(TYPES) {
            files.push(path);
        }
    }
    Ok(())
}

fn name(web: &Path, file: &Path) -> String {
    file.strip_prefix(web).unwrap_or(file).display().to_string()
}

/// The page with the version in its addresses, and with what every screen needs fetched at once.
fn page(text: &[u8], version: &str, web: &Path, files: &[PathBuf]) -> io::Result<Vec<u8>> {
    let names = files.iter().map(|file| name(web, file));
    let first = names.filter(|name| name.rsplit('.').next() == Some("js") && !name.starts_with("screens/"));
    let preload: String =
        first.map(|name| format!("<link rel=\"modulepreload\" href=\"/console/{version}/{name}\">\n")).collect();
    let text = String::from_utf8(text.to_vec()).map_err(io::Error::other)?;
    Ok(text.replace("<!-- preload -->\n", &preload).replace("{version}", version).into_bytes())
}
