//! Why an undo leaves something as it is.

use serde::{Deserialize, Serialize};

use crate::left_out::LeftOut;

/// Why something is passed over: what has happened since.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SkipReason {
    /// The user has been deleted, or the number sold.
    Gone,
    /// The user, or the number, has been changed.
    Changed,
    /// Another user has the address, the extension or the person of the directory by now.
    Taken,
    /// Another undo of the same job, which was given up and went on, has taken it back meanwhile.
    TakenBack,
    /// The number is not on the list any more.
    NotThere,
    /// The number is on the list again.
    BackAlready,
    /// What had taken the number's place is not there any more.
    ReplacementGone,
    /// Lists don't take the number: it has been retired or sold. Nothing had taken its place.
    NotTaken,
    /// The number has been retired or sold, so what has taken its place stays.
    Retired,
    /// What had taken the number's place stays, since the number can't come back.
    OldNotBack,
    /// The user would be left without a number to dial from.
    LeftWithout,
    /// The department that a replacement has taken over would be left without a number to dial from.
    DepartmentLeft,
    /// The list has no room any more.
    ListFull,
    /// Nothing has: the undo was given up before its turn.
    NotRestored,
    /// Nothing has: it can't be written.
    LeftOut(LeftOut),
}

impl SkipReason {
    /// A sentence for whoever reads the row.
    pub(super) fn message(self) -> &'static str {
        match self {
            Self::Gone => "Passed over: it is not there any more.",
            Self::Changed => "Passed over: it has been changed since.",
            Self::Taken => {
                "Passed over: another user has the address, the extension or the person of the directory by now."
            }
            Self::TakenBack => "Passed over: another undo of the same job has taken it back.",
            Self::NotThere => "Passed over: the number is not on the list any more.",
            Self::BackAlready => "Passed over: the number is on the list again.",
            Self::ReplacementGone => "Passed over: what had taken the number's place is not on the list any more.",
            Self::NotTaken => "Passed over: the number has been retired or sold.",
            Self::Retired => "Not put back: the number has been retired or sold. What has taken its place stays.",
            Self::OldNotBack => "Not taken off: what it has replaced has been retired or sold, and can't come back.",
            Self::LeftWithout => {
                "Not undone: the user would be left without a number to dial from. Give the user one first, or allow empty lists."
            }
            Self::DepartmentLeft => {
                "Not undone: its department would be left without a number to dial from. Give the department one first, or allow empty lists."
            }
            Self::ListFull => "Passed over: the list is full.",
            Self::NotRestored => "Not restored: the undo was given up before its turn.",
            Self::LeftOut(why) => why.message(),
        }
    }
}
