//! Every code that a report, a job or an answer can carry. Codes are stable: people filter on them and
//! programs branch on them, so one is added, never renamed.

pub use rollcall_tabular::code::FileCode;
use rollcall_tabular::codes;

codes! {
    /// Why a row, or one value of it, was not applied.
    RowCode {
        /// A quote is opened and never properly closed, or the row is longer than a row may be.
        MalformedCsv = "MALFORMED_CSV",
        /// Too few cells to hold the needed columns, or filled cells past the last column.
        ColumnCount = "COLUMN_COUNT",
        /// The login ID's cell is empty.
        LoginIdMissing = "LOGIN_ID_MISSING",
        /// The login ID of a new user looks like something else, which a spreadsheet or a person has put there.
        LoginIdSuspect = "LOGIN_ID_SUSPECT",
        /// No user of the account has this login ID.
        UserNotFound = "USER_NOT_FOUND",
        /// The login ID of one user is the e-mail address of another.
        UserAmbiguous = "USER_AMBIGUOUS",
        /// The caller IDs' cell is empty.
        NumberMissing = "NUMBER_MISSING",
        /// A spreadsheet rounded the number to scientific notation, so its last digits are lost.
        NumberScientific = "NUMBER_SCIENTIFIC",
        /// Not a telephone number.
        NumberInvalid = "NUMBER_INVALID",
        /// A telephone number, but not one of the account's.
        NumberNotOwned = "NUMBER_NOT_OWNED",
        /// The account has retired this number, or a rotation is retiring it.
        NumberRetired = "NUMBER_RETIRED",
        /// Another rotation is taking this number out of service.
        NumberInRotation = "NUMBER_IN_ROTATION",
        /// The number stands further up in the rotation, with another replacement.
        DuplicateNumber = "DUPLICATE_NUMBER",
        /// The replacement is not in service, or leaves with this rotation.
        ReplacementUnusable = "REPLACEMENT_UNUSABLE",
        /// Without the numbers that are retired, the user would have none to dial from.
        ListWouldBeEmpty = "LIST_WOULD_BE_EMPTY",
        /// The user's list is full.
        ListLimit = "LIST_LIMIT",
        /// Another row of the file has this login ID, with other values.
        LoginIdTaken = "LOGIN_ID_TAKEN",
        /// Another user, or a row further up, has this e-mail address.
        EmailTaken = "EMAIL_TAKEN",
        /// Another user, or a row further up, has this extension.
        ExtensionInUse = "EXTENSION_IN_USE",
        /// The number that is to be the user's default is none that the user may dial from.
        DefaultNotAllowed = "DEFAULT_NOT_ALLOWED",
        /// Another user, or a row further up, is linked to this person of the directory.
        DirectoryIdTaken = "DIRECTORY_ID_TAKEN",
        /// The account has no such role.
        RoleUnknown = "ROLE_UNKNOWN",
        /// A user that is new has no name.
        NameMissing = "NAME_MISSING",
        /// The cell holds the error of a formula, such as `#N/A`: the value that should be there is lost.
        SpreadsheetError = "SPREADSHEET_ERROR",
        /// The cell holds what no text has that was read in its own encoding.
        TextUnreadable = "TEXT_UNREADABLE",
        /// The cell holds what its column can't.
        ValueInvalid = "VALUE_INVALID",
        /// The table can't store the user: with its list, it would be larger than an item can be.
        NotStorable = "NOT_STORABLE",
        /// Somebody else changed the user each time that the job was about to.
        VersionConflict = "VERSION_CONFLICT",
        /// Somebody has changed the user since what the row says was so: the newer stands.
        ChangedSince = "CHANGED_SINCE",
        /// The phone system refuses this user.
        PhoneUserRefused = "PHONE_USER_REFUSED",
        /// Several of the phone system could be this user.
        PhoneUserAmbiguous = "PHONE_USER_AMBIGUOUS",
        /// The phone system doesn't have a number that the user may dial from. The others were told.
        PhoneNumberMissing = "PHONE_NUMBER_MISSING",
    }
}

codes! {
    /// Why the API refuses a request.
    ApiCode {
        /// The body is not JSON.
        MalformedJson = "MALFORMED_JSON",
        /// A field is missing, unknown, or holds what it can't.
        InvalidField = "INVALID_FIELD",
        /// A parameter of the path or the query holds what it can't.
        InvalidParameter = "INVALID_PARAMETER",
        /// The cursor was not given out for this list.
        InvalidCursor = "INVALID_CURSOR",
        /// The token names no account.
        NoAccount = "NO_ACCOUNT",
        /// The token has the route's scope, and lacks the one for what the job changes, or for what its rows tell.
        ScopeMissing = "SCOPE_MISSING",
        /// The account doesn't allow reports to go to this address.
        ReportAddressNotAllowed = "REPORT_ADDRESS_NOT_ALLOWED",
        /// There is no such thing in the account.
        NotFound = "NOT_FOUND",
        /// Another user has this login ID.
        LoginIdTaken = "LOGIN_ID_TAKEN",
        /// Another user has this e-mail address.
        EmailTaken = "EMAIL_TAKEN",
        /// Another user has this extension.
        ExtensionInUse = "EXTENSION_IN_USE",
        /// The action is not legal from where the user is.
        InvalidAgentState = "INVALID_AGENT_STATE",
        /// The number is retired: it has no way back but to be new again.
        NumberRetired = "NUMBER_RETIRED",
        /// The job stands where this can't be decided about it, or somebody has decided.
        IllegalMove = "INVALID_JOB_STATE",
        /// What jobs of this kind did can't be taken back.
        UndoUnsupported = "UNDO_UNSUPPORTED",
        /// Users or numbers refer to it.
        InUse = "IN_USE",
        /// It has been changed since it was read.
        VersionConflict = "VERSION_CONFLICT",
        /// The same `Idempotency-Key` came with another request.
        IdempotencyKeyReused = "IDEMPOTENCY_KEY_REUSED",
        /// The request with the same `Idempotency-Key` is still being answered.
        IdempotencyInProgress = "IDEMPOTENCY_IN_PROGRESS",
        /// The account has no directory connected.
        DirectoryNotConnected = "DIRECTORY_NOT_CONNECTED",
        /// A schedule syncs the account's users with its directory, so the directory can't push them in.
        SyncScheduled = "SYNC_SCHEDULED",
        /// The account's directory pushes its users in, so they can't be imported or synced.
        ScimInUse = "SCIM_IN_USE",
        /// The account has as many keys as it may have.
        KeyLimit = "KEY_LIMIT",
        /// The account's directory denied the credentials that we have for it, or they don't allow this.
        DirectoryDenied = "DIRECTORY_DENIED",
        /// The account's directory doesn't answer, or not in a way that makes sense.
        DirectoryUnavailable = "DIRECTORY_UNAVAILABLE",
        /// The body is larger than a request may be.
        TooLarge = "TOO_LARGE",
        /// The table can't store it: it would be larger than an item can be.
        NotStorable = "NOT_STORABLE",
        /// Something is wrong on our side that a later try won't mend.
        Internal = "INTERNAL",
        /// Something is wrong on our side. Try again later.
        Unavailable = "UNAVAILABLE",
    }
}

codes! {
    /// Why a user may not dial from a number.
    DialCode {
        /// No user of the account has this login ID, or this extension.
        UserUnknown = "USER_UNKNOWN",
        /// The user is an agent who is blocked.
        AgentBlocked = "AGENT_BLOCKED",
        /// The user is an agent who is disabled for the time being.
        AgentDisabled = "AGENT_DISABLED",
        /// The account has no such number.
        NumberUnknown = "NUMBER_UNKNOWN",
        /// The number rests, and is back in service on a later day.
        NumberResting = "NUMBER_RESTING",
        /// The number is retired, for good.
        NumberRetired = "NUMBER_RETIRED",
        /// The user dials from a list of its own, and the number is not on it.
        NumberNotOnList = "NUMBER_NOT_ON_LIST",
        /// The user dials from the numbers of its department, and the number is not one of them.
        NumberNotInDepartment = "NUMBER_NOT_IN_DEPARTMENT",
    }
}

codes! {
    /// What may be wrong with a number of the inventory, and keeps nobody from using it.
    NumberWarning {
        /// Promotional calls from a number of India that is not of the 140 series.
        PromotionalNot140 = "PROMOTIONAL_NOT_140",
        /// Service calls from a number of India that is not of the 1600 series.
        ServiceNot1600 = "SERVICE_NOT_1600",
        /// Other than promotional calls from India's 140 series.
        Only140Promotional = "ONLY_140_PROMOTIONAL",
        /// Other than service calls from India's 1600 series.
        Only1600Service = "ONLY_1600_SERVICE",
    }
}

codes! {
    /// What is worth saying of a file as a whole, though nothing of it failed for that.
    FileWarning {
        /// The file names no encoding and is not UTF-8; it was read in the one that its letters speak for.
        EncodingJudged = "ENCODING_JUDGED",
        /// The same, and the letters don't speak clearly: names may be wrong.
        EncodingDoubtful = "ENCODING_DOUBTFUL",
        /// NUL bytes were left out: a part of the file may be in UTF-16.
        NulBytes = "NUL_BYTES",
        /// A line above the header was passed over.
        LinesPassedOver = "LINES_PASSED_OVER",
        /// The file has columns that mean nothing to a job of its kind, and that were passed over.
        ColumnsIgnored = "COLUMNS_IGNORED",
        /// An upload of users with a role says nothing of them but caller IDs: perhaps an append was meant.
        MeantAppend = "MEANT_APPEND",
        /// Beside the numbers of some rows stands another, in a column that is not read: it may belong to them.
        NumbersElsewhere = "NUMBERS_ELSEWHERE",
        /// What a preview shows is more than the account's safety threshold lets through unseen.
        SafetyThreshold = "SAFETY_THRESHOLD",
        /// Every row was carried out, and nobody was changed by it.
        NothingChanged = "NOTHING_CHANGED",
        /// Metadata of the object that can't be read, and were passed over.
        MetadataUnreadable = "METADATA_UNREADABLE",
        /// Numbers that a rotation was to retire, and about which somebody else has decided while it ran.
        NumbersNotRetired = "NUMBERS_NOT_RETIRED",
    }
}

codes! {
    /// What is worth saying of a row, though nothing of it failed.
    Warning {
        /// The same number for the same user stands further up in the file.
        DuplicateInFile = "DUPLICATE_IN_FILE",
        /// The user had this number before the job.
        AlreadyAllowed = "ALREADY_ALLOWED",
        /// The value was written in an unusual way; the report says how it was read.
        Normalized = "NORMALIZED",
        /// The row is the header again, and was passed over.
        HeaderRepeated = "HEADER_REPEATED",
        /// A number stands in a column beside the numbers, which was not read: the row may have slipped.
        NumberElsewhere = "NUMBER_ELSEWHERE",
        /// The cell holds a mark for a missing value, such as `NULL`. It was read as an empty cell.
        NoValue = "NO_VALUE",
        /// The account has no department of this ID or name: a slip, and the user's department stays as it is.
        DepartmentUnknown = "DEPARTMENT_UNKNOWN",
        /// The same of a team.
        TeamUnknown = "TEAM_UNKNOWN",
        /// The department is new, and is made.
        DepartmentNew = "DEPARTMENT_NEW",
        /// The team is new, and is made.
        TeamNew = "TEAM_NEW",
        /// The user's policy is all or department, so the list that was added to isn't in force.
        PolicyNotCustom = "POLICY_NOT_CUSTOM",
        /// Something else came of the row than the preview had said.
        DiffersFromPreview = "DIFFERS_FROM_PREVIEW",
        /// Of a rotation: nobody whom it is about has the number, or not any more.
        NumberNotAssigned = "NUMBER_NOT_ASSIGNED",
        /// Of a rotation: people dial from the number by their policy, and not by a list.
        DialledByPolicy = "DIALLED_BY_POLICY",
        /// Of an undo: the user has no number to dial from any more, as before the job that is undone.
        LeftWithoutNumber = "LEFT_WITHOUT_NUMBER",
        /// Of an undo: what the job did is not there any more as it left it, so it is passed over. Of a resync: a newer one has taken over.
        ChangedSince = "CHANGED_SINCE",
        /// Of a resync: nobody of the phone system is the CRM user.
        Unmapped = "UNMAPPED",
        /// Of a resync: several of the phone system could be the CRM user.
        Ambiguous = "AMBIGUOUS",
        /// Of a resync: the phone user is gone.
        Orphaned = "ORPHANED",
        /// Of a push: nobody of the phone system is the user, so there is nobody to tell of.
        PhoneUserMissing = "PHONE_USER_MISSING",
        /// Of a push: the user has numbers there that the inventory doesn't know. They were left alone.
        ForeignNumbers = "FOREIGN_NUMBERS",
    }
}
