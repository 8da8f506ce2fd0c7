//! What a token may allow, and what jobs ask for beside the scope of their routes: the one table of it.
//!
//! | kind | changes | rows tell |
//! |---|---|---|
//! | `append-caller-ids`, `upload-users`, `push-lists` | `users.write` | `users.read` |
//! | `rotate-caller-ids`, `upload-numbers` | `numbers.write` | `numbers.read` |
//! | `mapping-resync`, `phone-snapshot` | `mappings.write` | `mappings.read` |
//! | `directory-import` | `directory.write` | `users.read` |
//! | `undo` | what the job that it undoes changes | what that one's rows tell |
//!
//! A rotation asks for what `POST /v1/numbers/rotations` asks for, and tells what `GET /v1/numbers/{number}/users` tells.

use crate::jobs::JobKind;

/// A scope of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::VariantArray)]
pub enum Scope {
    /// Users, their lists, and the catalogue.
    UsersRead,
    /// See [`Scope::UsersRead`].
    UsersWrite,
    /// The inventory, and who may use its numbers.
    NumbersRead,
    /// See [`Scope::NumbersRead`].
    NumbersWrite,
    /// Mappings of CRM users, and what each sees.
    MappingsRead,
    /// See [`Scope::MappingsRead`].
    MappingsWrite,
    /// The account's own directory, and what comes from it.
    DirectoryRead,
    /// See [`Scope::DirectoryRead`].
    DirectoryWrite,
    /// Jobs, but for what their rows tell.
    JobsRead,
    /// Jobs; what a job changes needs a scope of its own.
    JobsWrite,
    /// Whether a user may dial from a number, and no more: what a switch asks. Such a token reads no names, addresses or lists.
    DialCheck,
    /// What a user may dial from, and no more: what chooses a number at dial time. Such a token reads no names and no addresses.
    DialChoose,
    /// The audit trail.
    AuditRead,
    /// What the account has set for itself: who gets reports among it.
    SettingsRead,
    /// See [`Scope::SettingsRead`].
    SettingsWrite,
}

impl Scope {
    /// As it stands in a token.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UsersRead => "rollcall/users.read",
            Self::UsersWrite => "rollcall/users.write",
            Self::NumbersRead => "rollcall/numbers.read",
            Self::NumbersWrite => "rollcall/numbers.write",
            Self::MappingsRead => "rollcall/mappings.read",
            Self::MappingsWrite => "rollcall/mappings.write",
            Self::DirectoryRead => "rollcall/directory.read",
            Self::DirectoryWrite => "rollcall/directory.write",
            Self::JobsRead => "rollcall/jobs.read",
            Self::JobsWrite => "rollcall/jobs.write",
            Self::DialCheck => "rollcall/dial.check",
            Self::DialChoose => "rollcall/dial.choose",
            Self::AuditRead => "rollcall/audit.read",
            Self::SettingsRead => "rollcall/settings.read",
            Self::SettingsWrite => "rollcall/settings.write",
        }
    }
}

impl JobKind {
    /// The scope of what a job of this kind changes; `None` for an undo, which asks for that of the job that it undoes.
    pub fn changes(self) -> Option<Scope> {
        match self {
            Self::AppendCallerIds | Self::UploadUsers | Self::PushLists => Some(Scope::UsersWrite),
            Self::RotateCallerIds | Self::UploadNumbers => Some(Scope::NumbersWrite),
            Self::MappingResync | Self::PhoneSnapshot => Some(Scope::MappingsWrite),
            Self::DirectoryImport => Some(Scope::DirectoryWrite),
            Self::Undo => None,
        }
    }

    /// The scope of what the rows of such a job tell; `None` for an undo, whose rows are the deeds of the job that it undoes.
    pub fn tells(self) -> Option<Scope> {
        match self {
            Self::AppendCallerIds | Self::UploadUsers | Self::DirectoryImport | Self::PushLists => {
                Some(Scope::UsersRead)
            }
            Self::RotateCallerIds | Self::UploadNumbers => Some(Scope::NumbersRead),
            Self::MappingResync | Self::PhoneSnapshot => Some(Scope::MappingsRead),
            Self::Undo => None,
        }
    }
}
