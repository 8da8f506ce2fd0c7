//! The directory that a stack keeps its data in: who may use it, with which credentials, and how to reach who does.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::error::{Context, Result, StackError};

/// How to reach a running stack. It is in the stack's directory while the stack serves, as `stack.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Manifest {
    /// The process that serves.
    pub pid: u32,
    /// The region that everything is in.
    pub region: String,
    /// Where the services are.
    pub endpoints: Endpoints,
    /// The key ID that signs requests of this machine's owner.
    pub access_key_id: String,
    /// The key to it.
    pub secret_access_key: String,
    /// Who makes tokens for the API, if it asks for tokens.
    pub issuer: Option<Issuer>,
    /// Holds the mails, each in a file.
    pub mail_dir: PathBuf,
    /// Holds what the functions log, a file for each.
    pub log_dir: PathBuf,
    /// The template's outputs.
    pub outputs: BTreeMap<String, String>,
}

/// The URLs of the services.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Endpoints {
    /// DynamoDB.
    pub dynamodb: String,
    /// S3.
    pub s3: String,
    /// SES.
    pub ses: String,
    /// Secrets Manager.
    pub secrets_manager: String,
    /// The HTTP API, if the template has one.
    pub api: Option<String>,
}

/// Who makes tokens for the API on this machine.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Issuer {
    /// The issuer by name.
    pub url: String,
    /// The audience of its tokens.
    pub audience: String,
    /// Every scope that a route asks for.
    pub scopes: BTreeSet<String>,
    /// The file with the key that signs.
    pub key_file: PathBuf,
}

impl Manifest {
    /// Reads the manifest of the stack that serves the directory; `None` if none does.
    ///
    /// # Errors
    /// If the directory can't be read, or the file isn't a manifest.
    pub fn read(dir: &Path) -> Result<Option<Self>> {
        let path = dir.join(MANIFEST);
        let what = || format!("could not read {}", path.display());
        match fs::read(&path) {
            Ok(text) if is_locked(dir).context(what())? => serde_json::from_slice(&text).context(what()).map(Some),
            // A stack that was killed leaves the file behind, but not the lock.
            Ok(_) => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).context(what()),
        }
    }
}

const MANIFEST: &str = "stack.json";
const LOCK: &str = "lock";
const CREDENTIALS: &str = "credentials.json";

/// A directory that is locked for one stack.
pub(super) struct Home {
    dir: PathBuf,
    _lock: File,
}

/// What signs requests to the stack.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Credentials {
    pub(super) access_key_id: String,
    pub(super) secret_access_key: String,
}

impl Credentials {
    /// The variables that an SDK reads them from.
    pub(super) fn environment(self) -> [(String, String); 2] {
        [("AWS_ACCESS_KEY_ID", self.access_key_id), ("AWS_SECRET_ACCESS_KEY", self.secret_access_key)]
            .map(|(name, value)| (name.to_owned(), value))
    }
}

impl Home {
    /// Creates the directory if need be, and locks it.
    pub(super) fn lock(dir: &Path) -> Result<Self> {
        let what = || format!("could not use the directory {}", dir.display());
        // What it holds, mails and phone numbers, is for its owner alone.
        DirBuilder::new().recursive(true).mode(0o700).create(dir).context(what())?;
        let dir = dir.canonicalize().context(what())?;
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(dir.join(LOCK))
            .context(what())?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                lock.read_to_string(&mut pid).context(what())?;
                return Err(StackError::new(format!(
                    "the stack in {} already runs, as process {}",
                    dir.display(),
                    pid.trim()
                )));
            }
            Err(TryLockError::Error(error)) => return Err(error).context(what()),
        }
        lock.set_len(0)
            .and_then(|()| lock.rewind())
            .and_then(|()| writeln!(lock, "{}", std::process::id()))
            .context(what())?;
        Ok(Self { dir, _lock: lock })
    }

    pub(super) fn path(&self) -> &Path {
        &self.dir
    }

    /// A directory inside, created if need be.
    pub(super) fn subdirectory(&self, name: &str) -> Result<PathBuf> {
        let dir = self.dir.join(name);
        fs::create_dir_all(&dir).context(format!("could not create {}", dir.display()))?;
        Ok(dir)
    }

    /// The directory's credentials, made up when there are none.
    pub(super) fn credentials(&self) -> Result<Credentials> {
        let path = self.dir.join(CREDENTIALS);
        let what = || format!("could not read {}", path.display());
        match fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).context(what()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let random = || Uuid::new_v4().simple().to_string();
                let credentials = Credentials {
                    access_key_id: format!("ROLLCALL{}", random()[..12].to_uppercase()),
                    secret_access_key: random() + &random(),
                };
                self.write_json(CREDENTIALS, &credentials)?;
                Ok(credentials)
            }
            Err(error) => Err(error).context(what()),
        }
    }

    /// Tells that the stack serves.
    pub(super) fn publish(&self, manifest: &Manifest) -> Result<()> {
        self.write_json(MANIFEST, manifest)
    }

    /// Tells that it no longer does.
    pub(super) fn retract(&self) {
        if let Err(error) = fs::remove_file(self.dir.join(MANIFEST)) {
            tracing::warn!(error = %error, "could not remove {MANIFEST}");
        }
    }

    fn write_json(&self, name: &str, value: &impl Serialize) -> Result<()> {
        let path = self.dir.join(name);
        let text = serde_json::to_vec_pretty(value).context(format!("could not write {}", path.display()))?;
        write_private(&path, &text)
    }
}

/// Writes a file whole, readable by its owner alone.
pub(super) fn write_private(path: &Path, bytes: &[u8]) -> Result<()> {
    let draft = path.with_added_extension("draft");
    let write = || -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        file.write_all(bytes)?;
        fs::rename(&draft, path)
    };
    write().context(format!("could not write {}", path.display()))
}

fn is_locked(dir: &Path) -> io::Result<bool> {
    match File::open(dir.join(LOCK))?.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(error),
    }
}
