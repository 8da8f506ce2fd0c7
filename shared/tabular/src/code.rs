//! Why a file as a whole can't be read. Codes are stable: one is added, never renamed.

#[doc(hidden)]
pub use serde::{Deserialize, Serialize};

/// An enum of stable codes, each with the text that stands for it.
#[macro_export]
macro_rules! codes {
    ($(#[$about:meta])* $kind:ident { $($(#[$doc:meta])* $name:ident = $text:literal,)* }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, $crate::code::Serialize, $crate::code::Deserialize)]
        pub enum $kind { $($(#[$doc])* #[serde(rename = $text)] $name,)* }

        impl $kind {
            /// Every code of this kind, in the order of the documentation.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The code as it stands in reports and answers.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }

        impl std::fmt::Display for $kind {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

codes! {
    /// Why a whole file can't be read. Nothing of such a file is applied.
    FileCode {
        /// No row under the header, or no header either.
        FileEmpty = "FILE_EMPTY",
        /// More bytes than one job takes.
        FileTooLarge = "FILE_TOO_LARGE",
        /// More rows than one job takes.
        TooManyRows = "TOO_MANY_ROWS",
        /// More columns than a file may have, or so many that short rows leave most of them out.
        TooManyColumns = "TOO_MANY_COLUMNS",
        /// No text: a workbook, an archive, UTF-32; or the upload names an encoding that is not known.
        EncodingUnsupported = "ENCODING_UNSUPPORTED",
        /// The first row doesn't name the columns that are needed.
        HeaderMissing = "HEADER_MISSING",
        /// Two columns both answer to a name that is needed.
        HeaderAmbiguous = "HEADER_AMBIGUOUS",
        /// The header itself can't be cut into cells.
        MalformedCsv = "MALFORMED_CSV",
        /// JSON that isn't any, or that lacks something or holds what it can't.
        MalformedJson = "MALFORMED_JSON",
        /// The file lies where no job takes it.
        FolderUnknown = "FOLDER_UNKNOWN",
        /// The file was deleted, or has expired, before it was read.
        FileGone = "FILE_GONE",
    }
}
