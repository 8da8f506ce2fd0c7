//! The digests of a body: its MD5, which is its `ETag`, and those that the sender announced, which must be right.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html>

use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum as _, Md5};
use s3s::{S3Request, S3Result, TrailingHeaders, s3_error};

/// The header map of `http`, which `s3s` doesn't re-export under a name.
pub(super) type Headers = axum::http::HeaderMap;

/// Digests by the header that carries them, as base64.
pub(super) type Checksums = BTreeMap<String, String>;

const CRC32: &str = "x-amz-checksum-crc32";
const CRC32C: &str = "x-amz-checksum-crc32c";
const CRC64NVME: &str = "x-amz-checksum-crc64nvme";
const SHA1: &str = "x-amz-checksum-sha1";
const SHA256: &str = "x-amz-checksum-sha256";

/// Digests being computed.
pub(super) struct Digests {
    md5: Md5,
    announced: ChecksumHasher,
    headers: Headers,
    trailers: Option<TrailingHeaders>,
}

impl Digests {
    /// Computes what the request announces, be it in a header or in a trailer that follows the body.
    pub(super) fn of<T>(request: &S3Request<T>) -> Self {
        let headers = request.headers.clone();
        let listed = |list: &str, wanted: &str| {
            headers
                .get_all(list)
                .iter()
                .filter_map(|value| value.to_str().ok())
                .flat_map(|value| value.split(','))
                .any(|one| one.trim().eq_ignore_ascii_case(wanted))
        };
        let announced = |name: &str| headers.contains_key(name) || listed("x-amz-trailer", name);
        Self {
            md5: Md5::new(),
            announced: ChecksumHasher {
                crc32: announced(CRC32).then(Default::default),
                crc32c: announced(CRC32C).then(Default::default),
                sha1: announced(SHA1).then(Default::default),
                sha256: announced(SHA256).then(Default::default),
                crc64nvme: announced(CRC64NVME).then(Default::default),
            },
            headers,
            trailers: request.trailing_headers.clone(),
        }
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.md5.update(bytes);
        self.announced.update(bytes);
    }

    /// The `ETag` and the checksums of all that was seen, if they are what the sender says.
    pub(super) fn verify(self) -> S3Result<(String, Checksums)> {
        let md5 = self.md5.finalize();
        let said = |name: &str| {
            let text = |headers: &Headers| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
            text(&self.headers).or_else(|| self.trailers.as_ref().and_then(|trailers| trailers.read(text).flatten()))
        };
        if let Some(given) = said("content-md5") {
            let given = BASE64_STANDARD.decode(given).map_err(|cause| s3_error!(cause, InvalidDigest))?;
            if given != md5 {
                return Err(s3_error!(BadDigest, "The Content-MD5 you specified did not match what we received."));
            }
        }
        let sums = self.announced.finalize();
        let mut checksums = Checksums::new();
        for (name, computed) in [
            (CRC32, sums.checksum_crc32),
            (CRC32C, sums.checksum_crc32c),
            (CRC64NVME, sums.checksum_crc64nvme),
            (SHA1, sums.checksum_sha1),
            (SHA256, sums.checksum_sha256),
        ] {
            let Some(computed) = computed else { continue };
            if said(name).is_none_or(|given| given != computed) {
                return Err(s3_error!(BadDigest, "The {name} you specified did not match the calculated checksum."));
            }
            checksums.insert(name.to_owned(), computed);
        }
        Ok((hex::encode(md5), checksums))
    }
}

/// The `ETag` of an object made of parts: the MD5 of their MD5s, and their number.
pub(super) fn multipart_etag(parts: &[String]) -> String {
    let mut md5 = Md5::new();
    for etag in parts {
        let bytes: Vec<u8> =
            (0..etag.len()).step_by(2).filter_map(|at| u8::from_str_radix(etag.get(at..at + 2)?, 16).ok()).collect();
        md5.update(&bytes);
    }
    format!("{}-{}", hex::encode(md5.finalize()), parts.len())
}

/// The checksums as headers of a response.
pub(super) fn headers(checksums: &Checksums) -> Headers {
    checksums.iter().filter_map(|(name, value)| Some((name.parse().ok()?, value.parse().ok()?))).collect()
}
