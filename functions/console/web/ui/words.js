// The product's words for what the API names.

/** Kinds of jobs. */
export const KINDS = {
  'append-caller-ids': 'Bulk append caller ID',
  'upload-users': 'Upload users',
  'upload-numbers': 'Upload numbers',
  'rotate-caller-ids': 'Rotate caller IDs',
  'directory-import': 'Azure AD users',
  'mapping-resync': 'Resync',
  'phone-snapshot': 'Phone system snapshot',
  'push-lists': 'Push to the phone system',
  undo: 'Undo',
};

/** What a job is called: its file, or what was asked for where there is none. */
export const titleOf = job => (job.name.endsWith('.json') ? KINDS[job.kind] ?? job.name : job.name);

/** States of jobs: the word and its tone. */
export const JOB_STATES = {
  running: ['running', 'busy'], previewing: ['previewing', 'busy'], previewed: ['previewed', 'warn'],
    finished: ['finished', 'good'],
  failed: ['failed', 'bad'], on_hold: ['on hold', 'warn'], discarded: ['discarded', 'calm'], undone: ['undone', 'calm'],
};

/** States of numbers. */
export const NUMBER_STATES = {
  new: ['new', 'calm'], active: ['active', 'good'], flagged: ['flagged', 'bad'], resting: ['resting', 'warn'],
    retired: ['retired', 'calm'],
};

export const AGENT_STATES = {
  enabled: ['enabled', 'good'], disabled: ['disabled', 'warn'], blocked: ['blocked', 'bad'],
};
export const WEB_LOGINS = { active: ['active', 'good'], blocked: ['blocked', 'bad'] };
export const MAPPING_STATES = {
  mapped: ['mapped', 'good'], unmapped: ['unmapped', 'warn'], ambiguous: ['ambiguous', 'warn'],
  orphaned: ['orphaned', 'bad'],
};

/** How a user's list stands in the phone system. */
export const SWITCH_STATES = {
  in_step: ['in step', 'good'], pending: ['to be told', 'busy'], failed: ['refused', 'bad'],
  not_there: ['not there', 'calm'], unverified: ['not verified', 'warn'],
};

/** Policies, in the words of the phone system's own page. */
export const POLICIES = { all: 'All Caller IDs', department: 'All Department IDs', custom: 'Custom Caller IDs' };

/** Actions on a user. */
export const ACTIONS = {
  'block-agent': 'Block agent', 'enable-agent': 'Enable agent', 'disable-agent': 'Disable agent',
    'unblock-web-login': 'Unblock web login',
};

/** What may be done with a user now: what the API would not refuse. */
export function legal(user) {
  const agent = !user.calling_agent ? [] : {
    enabled: ['block-agent', 'disable-agent'], disabled: ['block-agent', 'enable-agent'], blocked: ['enable-agent'],
  }[user.agent_status];
  return [...agent, ...(user.web_login === 'blocked' ? ['unblock-web-login'] : [])];
}

/** Who did something, of an actor: by the name that the account's settings have for it. */
export function actor(by, me, names = {}) {
  if (!by) return 'outside the product';
  if (by === 'schedule') return 'a schedule';
  if (by === 'bucket') return 'a file in the bucket';
  if (by.job) return 'a job';
  if (by.call !== undefined) return by.call === me ? 'you' : names[by.call] || by.call || 'a caller without a name';
  if (by.scim !== undefined) return 'the directory (SCIM)';
  return 'somebody';
}
