//! What `build.rs` has packed.

include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// A file, as it is and compressed.
pub(crate) struct File {
    pub(crate) name: &'static str,
    pub(crate) plain: &'static [u8],
    pub(crate) gzip: &'static [u8],
}

/// A file's name and its size compressed, in bytes.
pub struct Packed {
    /// Its path below `web/`.
    pub name: &'static str,
    /// Bytes that a browser fetches.
    pub compressed: usize,
}

/// Every file that is served.
pub fn packed() -> impl Iterator<Item = Packed> {
    FILES.iter().map(|file| Packed { name: file.name, compressed: file.gzip.len() })
}

/// The file of this name.
pub(crate) fn find(name: &str) -> Option<&'static File> {
    FILES.iter().find(|file| file.name == name)
}

/// What a browser takes the file for; `None` for files that are no part of the page, such as licences' texts.
pub(crate) fn content_type(name: &str) -> Option<&'static str> {
    Some(match name.rsplit_once('.')?.1 {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        _ => return None,
    })
}
