//! What many of S3's requests and responses have in common. Macros, for `s3s` has a type of its own for each of them.

/// The attributes that a request gives an object.
macro_rules! attributes {
    ($input:expr) => {
        Attributes {
            content_type: $input.content_type.take(),
            cache_control: $input.cache_control.take(),
            content_disposition: $input.content_disposition.take(),
            content_encoding: $input.content_encoding.take(),
            content_language: $input.content_language.take(),
            metadata: $input.metadata.take().unwrap_or_default(),
            ..Attributes::default()
        }
    };
}

/// What a response says of an object.
macro_rules! described {
    ($output:ident, $version:expr) => {
        $output {
            accept_ranges: Some("bytes".to_owned()),
            cache_control: $version.attributes.cache_control.clone(),
            content_disposition: $version.attributes.content_disposition.clone(),
            content_encoding: $version.attributes.content_encoding.clone(),
            content_language: $version.attributes.content_language.clone(),
            content_length: Some($version.size),
            content_type: Some(
                $version.attributes.content_type.clone().unwrap_or_else(|| "binary/octet-stream".to_owned()),
            ),
            e_tag: Some(ETag::Strong($version.etag.clone())),
            last_modified: Some(timestamp($version.modified)),
            metadata: Some($version.attributes.metadata.clone()),
            version_id: Some($version.id.clone()).filter(|id| id != objects::NO_VERSION),
            ..$output::default()
        }
    };
}

/// The conditions that a request puts on a read.
macro_rules! read_conditions {
    ($input:expr) => {
        ReadConditions {
            if_match: $input.if_match.take(),
            if_none_match: $input.if_none_match.take(),
            if_modified_since: $input.if_modified_since.take(),
            if_unmodified_since: $input.if_unmodified_since.take(),
        }
    };
}

pub(super) use {attributes, described, read_conditions};
