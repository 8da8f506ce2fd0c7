// Made of infra/openapi.yaml by `cargo types`: change that, and run it.

export type Actor = {
  job: JobId;
} | {
  call: string;
} | "schedule" | "bucket";

export type AgentStatus = "enabled" | "disabled" | "blocked";

export type ApiCode = "MALFORMED_JSON" | "INVALID_FIELD" | "INVALID_PARAMETER" | "INVALID_CURSOR" | "NO_ACCOUNT" | "SCOPE_MISSING" | "REPORT_ADDRESS_NOT_ALLOWED" | "NOT_FOUND" | "LOGIN_ID_TAKEN" | "EMAIL_TAKEN" | "EXTENSION_IN_USE" | "INVALID_AGENT_STATE" | "NUMBER_RETIRED" | "INVALID_JOB_STATE" | "UNDO_UNSUPPORTED" | "IN_USE" | "VERSION_CONFLICT" | "IDEMPOTENCY_KEY_REUSED" | "IDEMPOTENCY_IN_PROGRESS" | "DIRECTORY_NOT_CONNECTED" | "SYNC_SCHEDULED" | "SCIM_IN_USE" | "KEY_LIMIT" | "DIRECTORY_DENIED" | "DIRECTORY_UNAVAILABLE" | "TOO_LARGE" | "NOT_STORABLE" | "INTERNAL" | "UNAVAILABLE";

export type Appended = {
  added: Array<CallerId>;
  already_allowed: Array<CallerId>;
  refused: Array<{
    code: "NUMBER_MISSING" | "NUMBER_SCIENTIFIC" | "NUMBER_INVALID" | "NUMBER_NOT_OWNED" | "NUMBER_RETIRED" | "LIST_LIMIT";
    value: string;
  }>;
};

export type AppendedNumbers = {
  caller_ids: Array<string>;
};

export type AuditEntry = {
  added: Array<CallerId>;
  asked_by?: Actor;
  at: string;
  by: Actor | null;
  change: "created" | "changed" | "deleted" | "executed" | "discarded" | "undone" | "refused";
  changed: string;
  code?: string;
  department?: Id;
  fields?: Record<string, {
    from: string | null;
    to: string | null;
  }>;
  id: string;
  job?: JobId;
  mapping?: CrmUserId;
  number?: CallerId;
  policy?: {
    from: Policy | null;
    to: Policy | null;
  };
  removed: Array<CallerId>;
  role?: Id;
  route?: string;
  scim_key?: string;
  settings?: string;
  state?: {
    from: NumberState | null;
    to: NumberState | null;
  };
  team?: Id;
  user?: LoginId;
};

export type CallerId = string;

export type CallerIds = {
  caller_ids: Array<CallerId>;
  default: CallerId | null;
  effective: Array<CallerId>;
  policy: Policy;
};

export type Choices = {
  code?: "USER_UNKNOWN" | "AGENT_BLOCKED" | "AGENT_DISABLED";
  numbers: Array<{
    flagged: boolean;
    number: CallerId;
  }>;
};

export type Count = number;

export type Country = string;

export type Counts = {
  applied: Count;
  failed: Count;
  partial: Count;
  unchanged: Count;
  unprocessed: Count;
};

export type CrmUserId = string;

export type DialDecision = {
  allowed: boolean;
  code?: "USER_UNKNOWN" | "AGENT_BLOCKED" | "AGENT_DISABLED" | "NUMBER_UNKNOWN" | "NUMBER_RESTING" | "NUMBER_RETIRED" | "NUMBER_NOT_ON_LIST" | "NUMBER_NOT_IN_DEPARTMENT";
  state?: NumberState;
  use?: CallerId;
};

export type Directory = {
  ask_again: Array<string>;
  client_id: string | null;
  connected: boolean;
  last_import: null | {
    at: string;
    job: JobId;
    phones_unread: number;
    unknown_ids: number;
    users: number;
  };
  last_sync: null | {
    at: string;
    deactivated: number;
    failed: number;
    job: JobId;
    linked: number;
    outcome: "done" | {
      on_hold: Reason;
    } | {
      refused: Reason;
    };
    phones_unread: number;
    still_blocked: number;
    updated: number;
  };
  tenant: string | null;
};

export type DirectoryImport = {
  filter?: string;
  ids?: Array<string>;
  preview?: boolean;
  relink?: boolean;
  role?: Id;
  search?: string;
};

export type DirectoryUser = {
  designation: OptionalName;
  email: OptionalEmail;
  enabled: boolean;
  id: string;
  login: LoginId;
  name: Name;
  phone: CallerId | null;
  user: string | null;
};

export type Email = string;

export type Entry = {
  id: Id;
  name: Name;
};

export type Explanation = {
  broken?: Link;
  chain: Array<{
    detail: string;
    holds: boolean;
    link: Link;
  }>;
  mend?: string;
  number: CallerId;
  visible: boolean;
};

export type Extension = {
  active: boolean;
  caller_id: OptionalCallerId;
  intercom: Id;
  login: Id;
  registrations: number;
};

export type ExtensionStatus = {
  caller_id: OptionalCallerId;
  intercom: Id;
  login: Id;
  name: Name;
  password: "********";
  registrations: number;
  status: "active" | "inactive";
  user: LoginId;
};

export type FileCode = "FILE_EMPTY" | "FILE_TOO_LARGE" | "TOO_MANY_ROWS" | "TOO_MANY_COLUMNS" | "ENCODING_UNSUPPORTED" | "HEADER_MISSING" | "HEADER_AMBIGUOUS" | "MALFORMED_CSV" | "MALFORMED_JSON" | "FOLDER_UNKNOWN" | "FILE_GONE";

export type FileLink = {
  expires_in_seconds: number;
  size: number;
  url: string;
};

export type Given = {
  email?: OptionalEmail;
  login?: LoginId | null;
  phone_user?: PhoneUserId | null;
};

export type Id = string;

export type Job = {
  asked_by?: Actor;
  attempts: number;
  counts: Counts;
  decided_by?: Actor;
  encoding?: string;
  ended?: string;
  ends_about?: string;
  failure?: {
    because: "file";
    code: FileCode;
    line?: number;
    message: string;
  } | {
    because: "refused" | "on_hold";
    reason: string;
  } | {
    attempts: number;
    because: "gave_up";
    reason: string;
  };
  id: JobId;
  kind: JobKind;
  mail?: {
    message_id?: string;
    most?: number;
    reason?: string;
    state: "not_due" | "no_recipient" | "sent" | "too_many" | "refused";
  };
  name: string;
  notes?: Array<{
    code: "ENCODING_JUDGED" | "ENCODING_DOUBTFUL" | "NUL_BYTES" | "LINES_PASSED_OVER" | "COLUMNS_IGNORED" | "MEANT_APPEND" | "NUMBERS_ELSEWHERE" | "SAFETY_THRESHOLD" | "NOTHING_CHANGED" | "METADATA_UNREADABLE" | "NUMBERS_NOT_RETIRED";
    line?: number;
    message: string;
  }>;
  notify_ignored?: "unreadable" | "not_allowed";
  phase: "reading" | "applying" | "reporting" | "mailing" | "done";
  previewed?: {
    counts: Counts;
    differs: number;
    ended: string;
    progress: Progress;
  };
  progress: Progress;
  role?: string;
  size: number;
  stage: "dropped" | "preview" | "executed";
  started: string;
  state: JobState;
  undoes?: JobId;
  undone_by?: JobId;
  upload: string;
  waiting: boolean;
};

export type JobId = string;

export type JobKind = "append-caller-ids" | "upload-users" | "directory-import" | "mapping-resync" | "phone-snapshot" | "rotate-caller-ids" | "upload-numbers" | "push-lists" | "undo";

export type JobState = "running" | "previewing" | "previewed" | "finished" | "failed" | "on_hold" | "discarded" | "undone";

export type Link = "mapping" | "resync" | "policy" | "inventory" | "state";

export type LoginId = string;

export type Mapping = {
  changed: string | null;
  crm_user: CrmUserId;
  email: OptionalEmail;
  login: LoginId | null;
  permission: null | {
    caller_ids: Array<CallerId>;
    department: OptionalId;
    policy: Policy;
  };
  phone_user: PhoneUserId | null;
  state: {
    is: "unmapped";
  } | {
    candidates: Array<PhoneUserId>;
    is: "ambiguous";
  } | {
    is: "mapped" | "orphaned";
    phone_user: PhoneUserId;
  };
  version: number;
};

export type Message = {
  message: string;
};

export type Name = string;

export type NewEntry = {
  name: Name;
};

export type NewExtension = {
  active?: boolean;
  caller_id?: OptionalWrittenNumber;
  intercom: Id;
  login: Id;
  registrations?: number;
};

export type NewJob = {
  encoding?: string | null;
  kind: "append-caller-ids" | "upload-users" | "upload-numbers" | "rotate-caller-ids";
  name: string;
  notify?: Email | null;
  preview?: boolean;
  role?: Name;
  size: number;
};

export type NewNumber = {
  attestation?: OptionalAttestation;
  department?: OptionalId;
  labels?: Array<Id>;
  number: string;
  provider?: OptionalName;
  purpose?: OptionalPurpose;
  resting_until?: OptionalDate;
  state?: NumberState;
};

export type NewUser = {
  call_forward_number?: OptionalWrittenNumber;
  calling_agent?: boolean;
  default_caller_id?: OptionalWrittenNumber;
  department?: OptionalId;
  designation?: OptionalName;
  email?: OptionalEmail;
  extension?: NewExtension | null;
  login: LoginId;
  name: Name;
  role?: OptionalId;
  team?: OptionalId;
};

export type Next = string;

export type Number = {
  attestation: OptionalAttestation;
  days_in_service?: number;
  days_since_flagged?: number;
  department: OptionalId;
  flagged_since?: string;
  in_service_since?: string;
  labels: Array<Id>;
  number: CallerId;
  provider: OptionalName;
  purpose: OptionalPurpose;
  replaced_by: CallerId | null;
  reserved_by: JobId | null;
  resting_until: OptionalDate;
  second_look?: {
    from: string;
    replacement: CallerId | null;
  };
  state: NumberState;
  state_since?: string;
  version: number;
  warnings: Array<{
    code: NumberWarning;
    message: string;
  }>;
};

export type NumberPatch = {
  attestation?: OptionalAttestation;
  department?: OptionalId;
  labels?: Array<Id> | null;
  provider?: OptionalName;
  purpose?: OptionalPurpose;
  resting_until?: OptionalDate;
  state?: "new" | "active" | "flagged" | "resting" | "retired" | null;
};

export type NumberState = "new" | "active" | "flagged" | "resting" | "retired";

export type NumberSummary = {
  departments: Array<{
    department: string | null;
    numbers: number;
    usable: number;
  }>;
  due: number;
  due_days: number;
  numbers: number;
  states: {
    active: number;
    flagged: number;
    new: number;
    resting: number;
    retired: number;
  };
};

export type NumberWarning = "PROMOTIONAL_NOT_140" | "SERVICE_NOT_1600" | "ONLY_140_PROMOTIONAL" | "ONLY_1600_SERVICE";

export type OptionalAttestation = "A" | "B" | "C" | null;

export type OptionalCallerId = CallerId | null;

export type OptionalDate = string | null;

export type OptionalEmail = Email | null;

export type OptionalId = Id | null;

export type OptionalName = Name | null;

export type OptionalPurpose = "promotional" | "service" | "other" | null;

export type OptionalWrittenNumber = string | null;

export type Permission = {
  expires_in_seconds: number;
  headers: Record<string, string>;
  method: "PUT";
  upload: string;
  url: string;
};

export type PhoneSystem = {
  system: "builtin" | "snapshot" | "smartflo" | "zoom-phone";
};

export type PhoneSystemStanding = {
  push?: {
    ends_about: string | null;
    everybody: boolean;
    failed: number;
    in_step: number;
    job: string | null;
    not_there: number;
    oldest_pending_at: string | null;
    pending: number;
    stopped: {
      at: string;
      job: string;
      on_hold: boolean;
      reason: string;
    } | null;
    verified: VerifiedPhoneSystem;
  };
  system: "builtin" | "snapshot" | "smartflo" | "zoom-phone";
};

export type PhoneUserId = string;

export type Policy = "all" | "department" | "custom";

export type Problem = {
  code: ApiCode;
  detail: string;
  pointer?: string;
  status: number;
  title: string;
  type: "about:blank";
};

export type Progress = {
  numbers_added: Count;
  numbers_removed: Count;
  rows: Count;
  rows_reported: Count;
  statements: Count;
  table_calls: Count;
  throttled: Count;
  users: Count;
  users_changed: Count;
  users_created: Count;
  users_done: Count;
};

export type Reason = {
  reason: string;
};

export type ReportTo = string;

export type ResyncStanding = {
  done: null | {
    at: string;
    job: JobId;
  };
  ended: null | {
    at: string;
    job: JobId;
    on_hold: boolean;
    reason: string;
  };
  on_hold: boolean;
};

export type Rotation = {
  allow_empty?: boolean;
  file?: {
    lines: Array<number>;
    name: string;
  } | null;
  keep_departments?: boolean;
  only?: {
    department: Id;
  } | {
    team: Id;
  } | {
    logins: Array<LoginId>;
  } | null;
  preview?: boolean;
  quarantine_days?: number | null;
  replace_with?: Array<WrittenNumber> | Record<string, WrittenNumber> | null;
  retire: Array<WrittenNumber>;
};

export type ScimGroupRule = {
  department?: Id | null;
  group: Name;
  role?: Id | null;
  team?: Id | null;
};

export type ScimKeyId = string;

export type ScimKeys = {
  errors: Array<{
    about: string;
    at: string;
    detail: string;
    route: string;
    scim_type: string | null;
    status: number;
    times: number;
  }>;
  items: Array<{
    created: string;
    created_by: Actor;
    id: string;
    last_used: string | null;
    name: string | null;
  }>;
};

export type Settings = {
  catalog_from_files: boolean;
  country: Country | null;
  default_role: Id | null;
  list_limit: number;
  names: Record<string, Name>;
  phone_system: "builtin" | "snapshot" | "smartflo" | "zoom-phone";
  recipients: Array<Email>;
  report_to: Array<ReportTo>;
  safety_threshold: {
    at_least: number;
    percent: number;
  };
  scim_groups: Array<ScimGroupRule>;
  scim_groups_behind?: Array<Name>;
  scim_roles: boolean;
  version: number;
};

export type SettingsPatch = {
  catalog_from_files?: boolean | null;
  country?: Country | null;
  default_role?: Id | null;
  list_limit?: number | null;
  names?: Record<string, string | null> | null;
  phone_system?: "builtin" | "snapshot" | "smartflo" | "zoom-phone" | null;
  recipients?: Array<Email> | null;
  report_to?: Array<ReportTo> | null;
  safety_threshold?: {
    at_least?: number | null;
    percent?: number | null;
  } | null;
  scim_groups?: Array<ScimGroupRule> | null;
  scim_roles?: boolean | null;
};

export type SwitchState = "in_step" | "pending" | "failed" | "not_there" | "unverified";

export type User = {
  agent_status: AgentStatus;
  call_forward_number: OptionalCallerId;
  calling_agent: boolean;
  default_caller_id: OptionalCallerId;
  department: OptionalId;
  designation: OptionalName;
  directory_id?: string;
  email: OptionalEmail;
  extension: Extension | null;
  login: LoginId;
  login_confirmed?: boolean;
  name: Name;
  policy: Policy;
  role: OptionalId;
  switch?: {
    code?: string;
    missing?: number;
    since?: string;
    state: SwitchState;
    told?: number;
    told_at?: string;
  };
  team: OptionalId;
  version: number;
  web_login: WebLogin;
};

export type UserCounts = {
  agent_status: {
    blocked: number;
    disabled: number;
    enabled: number;
  };
  calling_agents: number;
  counted_at: string;
  policies: {
    all: number;
    custom: number;
    department: number;
  };
  users: number;
  web_login: {
    active: number;
    blocked: number;
  };
  with_extension: number;
  without_numbers: number;
};

export type UserPatch = {
  call_forward_number?: OptionalWrittenNumber;
  calling_agent?: boolean | null;
  default_caller_id?: OptionalWrittenNumber;
  department?: OptionalId;
  designation?: OptionalName;
  email?: OptionalEmail;
  extension?: {
    active?: boolean | null;
    caller_id?: OptionalWrittenNumber;
    intercom?: Id;
    login?: Id;
    registrations?: number | null;
  } | null;
  name?: Name;
  role?: OptionalId;
  team?: OptionalId;
};

export type UsersJob = {
  append?: Array<string>;
  filter?: {
    agent_status?: AgentStatus;
    calling_agent?: boolean;
    department?: Id;
    has_extension?: boolean;
    role?: Id;
    search?: string;
    switch?: SwitchState;
    team?: Id;
    web_login?: WebLogin;
  };
  logins?: Array<LoginId>;
  preview?: boolean;
  set?: {
    agent_status?: AgentStatus;
    department?: Id;
    role?: Id;
    team?: Id;
    web_login?: WebLogin;
  };
};

export type VerifiedPhoneSystem = {
  empties?: boolean | null;
  keeps_order?: boolean | null;
  replaces?: boolean | null;
};

export type VisibleCallerIds = {
  caller_ids: Array<CallerId>;
  crm_user: CrmUserId;
  resynced: string | null;
};

export type WebLogin = "active" | "blocked";

export type WrittenNumber = string;

/** What each route answers when all is well. */
export interface Answers {
  'GET agents': {
    items: Array<User>;
    next?: Next;
  };
  'GET agents.csv': string;
  'GET audit': {
    items: Array<AuditEntry>;
    next?: Next;
    settled_until: string;
  };
  'GET departments': {
    items: Array<Entry>;
  };
  'DELETE departments/{id}': null | {
    moved: number;
  };
  'PUT departments/{id}': Entry;
  'GET directory': Directory;
  'POST directory/import': {
    job: JobId;
    upload: string;
  };
  'GET directory/scim-keys': ScimKeys;
  'POST directory/scim-keys': {
    created: string;
    created_by: Actor;
    id: string;
    last_used: string | null;
    name: string | null;
    token: string;
  };
  'DELETE directory/scim-keys/{id}': null;
  'POST directory/sync': {
    job: JobId;
    upload: string;
  };
  'GET directory/users': {
    items: Array<DirectoryUser>;
    next?: Next;
  };
  'GET extensions': {
    items: Array<ExtensionStatus>;
    next?: Next;
  };
  'GET extensions/{extension}/caller-ids/{number}': DialDecision;
  'GET extensions/{extension}/choices': Choices;
  'GET jobs': {
    items: Array<Job>;
    next?: Next;
  };
  'POST jobs': Permission;
  'GET jobs/{id}': Job;
  'POST jobs/{id}/discard': Job;
  'POST jobs/{id}/execute': Job;
  'GET jobs/{id}/failures': FileLink;
  'GET jobs/{id}/results': FileLink;
  'POST jobs/{id}/undo': {
    job: JobId;
    upload: string;
  };
  'GET mappings': {
    items: Array<Mapping>;
    next?: Next;
  };
  'GET mappings/resync': ResyncStanding;
  'POST mappings/resync': {
    job: JobId;
    upload: string;
  };
  'DELETE mappings/{crm_user}': null;
  'GET mappings/{crm_user}': Mapping;
  'PUT mappings/{crm_user}': Mapping;
  'GET mappings/{crm_user}/caller-ids': VisibleCallerIds;
  'GET mappings/{crm_user}/caller-ids/{number}/explanation': Explanation;
  'GET numbers': {
    items: Array<Number>;
    next?: Next;
  };
  'POST numbers': {
    added: Array<CallerId>;
    taken: Array<CallerId>;
  };
  'GET numbers.csv': string;
  'POST numbers/rotations': {
    job: JobId;
    upload: string;
  };
  'GET numbers/summary': NumberSummary;
  'GET numbers/{number}': Number;
  'PATCH numbers/{number}': Number;
  'GET numbers/{number}/users': {
    items: Array<User>;
    next?: Next;
  };
  'GET phone-system': PhoneSystemStanding;
  'PUT phone-system': PhoneSystem;
  'POST phone-system/push': {
    job: JobId;
    upload: string;
  };
  'PUT phone-system/verified': VerifiedPhoneSystem;
  'GET roles': {
    items: Array<Entry>;
  };
  'DELETE roles/{id}': null | {
    moved: number;
  };
  'PUT roles/{id}': Entry;
  'GET samples/{name}': string;
  'GET settings': Settings;
  'PATCH settings': Settings;
  'GET teams': {
    items: Array<Entry>;
  };
  'DELETE teams/{id}': null | {
    moved: number;
  };
  'PUT teams/{id}': Entry;
  'GET teams/{id}/members': {
    items: Array<User>;
    next?: Next;
  };
  'GET user-counts': UserCounts;
  'GET users': {
    items: Array<User>;
    next?: Next;
  };
  'POST users': User;
  'GET users.csv': string;
  'POST users/jobs': {
    job: JobId;
    upload: string;
  };
  'DELETE users/{login}': null;
  'GET users/{login}': User;
  'PATCH users/{login}': User;
  'POST users/{login}/actions/{action}': User;
  'PUT users/{login}/caller-id-policy': User;
  'GET users/{login}/caller-ids': CallerIds;
  'POST users/{login}/caller-ids': Appended;
  'DELETE users/{login}/caller-ids/{number}': null;
  'GET users/{login}/caller-ids/{number}': DialDecision;
  'GET users/{login}/choices': Choices;
}
