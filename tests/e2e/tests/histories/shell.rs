//! The order in which the engine reads and writes, as `shared/engine` and the functions have it, with everything that is decided left
//! to the model. (What the engine really does in that order is held against its own deaths: `safety.rs` and the others.)

use std::collections::{BTreeMap, HashMap, HashSet};

use rollcall_bulk::{
    append,
    job::{ClaimOutcome, Delivery, Failure, Job, JobState, MailState, Phase, claim},
    report::{Judgement, Report},
    resync,
    rotation::{self, Checked, Holder, Pair, RotationRequest, Rules},
    undo::{self, Effect, NumberPlan, SkipReason, UndoRequest, UndoTarget},
    upload::{InboxKey, ResultKeys},
};
use rollcall_model::{
    audit::Actor,
    caller_id::CallerId,
    inventory::{InventoryNumber, NumberState},
    jobs::{Decision, JobId, JobKind, ObjectVersion},
    mapping::Mapping,
    numbers::NumberReader,
    phone_side::{PhoneSide, PhoneUser},
    user::Policy,
};
use rollcall_tabular::{Reader, Row, Schema};
use serde_json::{from_slice, to_vec};

use crate::{
    table::Services,
    work::{Batch, Note, Plan, Resync, Work},
};

/// Users dealt with together.
const BATCH: usize = 2;
pub const LIST_LIMIT: usize = 100;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    Ended,
    Again,
}

enum Stop {
    Time,
    /// Somebody else holds the lease.
    Lost,
    Refused(String),
}

/// One delivery of a job's event.
pub async fn deliver(services: &Services, upload: &InboxKey, source: &ObjectVersion, delivery: Delivery) -> Ending {
    let existing = services.job(&JobId::of(source)).await;
    let (job, gave_up) = match claim(existing.clone(), upload, source, &delivery) {
        ClaimOutcome::Work(job) => (*job, false),
        ClaimOutcome::GiveUp(job) => (*job, true),
        ClaimOutcome::Busy => return Ending::Again,
        ClaimOutcome::Ended => return Ending::Ended,
    };
    if !services.claim(&job, existing.as_ref()).await {
        return Ending::Again;
    }
    let keys = job.keys();
    let mut run = Run { services, job, keys, delivery };
    let ended = if gave_up { run.give_up().await } else { run.run().await };
    ended.unwrap_or(Ending::Again)
}

struct Run<'a> {
    services: &'a Services,
    job: Job,
    keys: ResultKeys,
    delivery: Delivery,
}

impl Run<'_> {
    async fn run(&mut self) -> Result<Ending, Stop> {
        match self.work().await {
            Ok(()) => Ok(Ending::Ended),
            Err(Stop::Refused(reason)) => {
                self.job.failure = Some(Failure::Refused { reason });
                self.finish().await?;
                Ok(Ending::Ended)
            }
            Err(Stop::Time) if !self.delivery.is_last() => {
                self.job.paused = true;
                self.job.lease = None;
                self.save().await?;
                Ok(Ending::Again)
            }
            Err(Stop::Time) => {
                let reason = "its time ran out".to_owned();
                self.job.failure = Some(Failure::GaveUp { attempts: self.job.attempts, reason });
                self.give_up().await
            }
            Err(Stop::Lost) => Err(Stop::Lost),
        }
    }

    async fn give_up(&mut self) -> Result<Ending, Stop> {
        let counts = &mut self.job.counts;
        counts.unprocessed += self.job.progress.rows.saturating_sub(counts.rows());
        self.finish().await?;
        Ok(Ending::Again)
    }

    async fn work(&mut self) -> Result<(), Stop> {
        if self.job.phase != Phase::Mailing {
            let (mut work, rows) = self.begin().await?;
            self.job.progress.rows = 0;
            each_row(work.columns(), &rows, |row| {
                self.job.progress.rows += 1;
                work.take(row);
            });
            work.finish_reading();
            self.enter(Phase::Applying).await?;
            let joined = self.apply(&mut work).await?;
            self.retract(&mut work, joined).await?;
            self.enter(Phase::Reporting).await?;
            let mut report = None;
            each_row(work.columns(), &rows, |row| {
                let judgement = work.judge(row);
                report.get_or_insert_with(|| Report::new(row.header())).row(row, judgement);
            });
            if let Some(report) = report {
                self.job.counts = report.counts;
            }
            self.conclude(&work).await?;
        }
        self.finish().await
    }

    async fn finish(&mut self) -> Result<(), Stop> {
        self.enter(Phase::Mailing).await?;
        if self.job.mail.is_none() {
            let mut mail = MailState::NotDue;
            if self.job.is_mail_due() {
                self.services.mail(&self.job.id).await;
                mail = MailState::Sent { message_id: String::new() };
            }
            self.job.mail = Some(mail);
            self.save().await?;
        }
        self.job.end(self.services.time());
        self.save().await
    }

    async fn enter(&mut self, phase: Phase) -> Result<(), Stop> {
        self.job.phase = phase;
        self.save().await
    }

    async fn save(&self) -> Result<(), Stop> {
        if self.services.save(&self.job, &self.delivery.invocation).await { Ok(()) } else { Err(Stop::Lost) }
    }

    /// A share of the time is kept for putting things away.
    fn check_time(&self) -> Result<(), Stop> {
        let left = self.delivery.deadline.duration_since(self.services.time()).as_secs();
        if left > 8 { Ok(()) } else { Err(Stop::Time) }
    }

    async fn keep(&self, number: usize, batch: &Batch) {
        self.services.put(&self.keys.changes(number), to_vec(batch).expect("JSON")).await;
    }

    async fn kept(&self, number: usize) -> Option<Batch> {
        self.services.get(&self.keys.changes(number)).await.map(|bytes| from_slice(&bytes).expect("a batch"))
    }

    /// `apply.rs`. Gives the numbers that came onto lists, and those taken off again.
    async fn apply(&mut self, work: &mut Work) -> Result<[HashSet<CallerId>; 2], Stop> {
        let batches = work.users().div_ceil(BATCH);
        let mut joined = [HashSet::new(), HashSet::new()];
        let mut next = self.recall(work, 0).await;
        self.decide(work, 0, &mut next).await;
        for number in 0..batches {
            self.check_time()?;
            let mut batch = next;
            next = self.recall(work, number + 1).await;
            self.decide(work, number + 1, &mut next).await;
            self.carry_out(work, number, &mut batch).await;
            for plan in &mut batch.plans {
                work.record(plan);
                let Some([added, retracted]) = plan.added() else { continue };
                joined[0].extend(added.iter());
                joined[1].extend(retracted.iter());
            }
        }
        Ok(joined)
    }

    async fn recall(&self, work: &mut Work, number: usize) -> Batch {
        if self.job.attempts == 1 || number * BATCH >= work.users() {
            return Batch::default();
        }
        let mut batch = self.kept(number).await.unwrap_or_default();
        batch.plans.iter().for_each(|plan| work.record(plan));
        batch.recalled = batch.plans.len();
        batch
    }

    async fn decide(&self, work: &Work, number: usize, batch: &mut Batch) {
        let users = number * BATCH..work.users().min((number + 1) * BATCH);
        let open: Vec<usize> = users.filter(|&user| !work.is_decided(user)).collect();
        if !open.is_empty() {
            for user in open {
                batch.plans.push(self.plan(work, user).await);
            }
            self.keep(number, batch).await;
        }
    }

    async fn plan(&self, work: &Work, user: usize) -> Plan {
        let Work::Resync(resync) = work else {
            return work.plan(user, self.services.user(work.login(user)).await.as_ref());
        };
        let crm_user = resync.ledger.crm_user(user);
        let mut change = resync.decide(resync.mappings.get(crm_user));
        // What is to change is looked at once more.
        if change.after.is_some() {
            change = resync.decide(self.services.mapping(crm_user).await.as_ref());
        }
        Plan::Resync(resync::ResyncPlan { crm_user: crm_user.clone(), change })
    }

    async fn carry_out(&self, work: &Work, number: usize, batch: &mut Batch) {
        let mut open: Vec<usize> =
            (batch.carried_out..batch.plans.len()).filter(|&at| batch.plans[at].writes()).collect();
        if open.is_empty() {
            return;
        }
        while !open.is_empty() {
            let mut again = Vec::new();
            for at in open {
                if !self.write(&mut batch.plans[at]).await {
                    again.push(at);
                }
            }
            for &at in &again {
                if let Some(user) = work.user(batch.plans[at].login()) {
                    let mut plan = self.plan(work, user).await;
                    if at < batch.recalled {
                        plan.merge_previous_attempt(&batch.plans[at]);
                    }
                    batch.plans[at] = plan;
                }
            }
            batch.recalled = 0;
            again.retain(|&at| batch.plans[at].writes());
            open = again;
            if !open.is_empty() {
                self.keep(number, batch).await;
            }
        }
        batch.carried_out = batch.plans.len();
        self.keep(number, batch).await;
    }

    /// Whether a plan was carried out.
    async fn write(&self, plan: &mut Plan) -> bool {
        let lists = match plan {
            Plan::Append(plan) => {
                if !self.services.append(&plan.login, &plan.add).await {
                    plan.vanished();
                }
                return true;
            }
            Plan::Rotate(plan) => plan.change(),
            Plan::Undo(plan) => plan.lists(),
            Plan::Resync(plan) => {
                let after = plan.change.after.as_ref().expect("a mapping that is to change");
                return self.services.write_mapping(&self.job.id, after).await;
            }
        };
        self.services.set_list(&self.job.id, plan.login(), lists).await
    }

    /// `retract.rs`.
    async fn retract(&mut self, work: &mut Work, joined: [HashSet<CallerId>; 2]) -> Result<(), Stop> {
        let [added, mut refused] = joined;
        if !added.is_empty() {
            let inventory = self.services.numbers().await;
            let gone = inventory.iter().filter(|item| !item.is_assignable() && added.contains(&item.number));
            refused.extend(gone.map(|item| item.number));
        }
        if refused.is_empty() {
            return Ok(());
        }
        for number in 0..work.users().div_ceil(BATCH) {
            self.check_time()?;
            let mut batch = self.kept(number).await.expect("this attempt has kept it");
            for plan in &mut batch.plans {
                plan.retract(&refused);
            }
            let mut removals = batch.plans.clone();
            removals.retain_mut(|plan| plan.added().is_some_and(|[_, retracted]| !retracted.is_empty()));
            if removals.is_empty() {
                continue;
            }
            self.keep(number, &batch).await;
            for mut plan in removals {
                let Some([_, numbers]) = plan.added() else { continue };
                let numbers = numbers.clone();
                self.services.remove(&self.job.id, plan.login(), &numbers).await;
                work.record(&plan);
            }
        }
        Ok(())
    }

    async fn begin(&mut self) -> Result<(Work, Vec<u8>), Stop> {
        let dropped = self.services.get(&self.job.source.key).await.expect("the file is there");
        let inventory = self.services.numbers().await;
        match self.job.upload.kind {
            JobKind::RotateCallerIds => {
                let request: RotationRequest = from_slice(&dropped).expect("a request");
                let note = match self.load_checkpoint().await {
                    Some(note) => note,
                    None => self.bring_rotation(&request, &inventory).await,
                };
                let rules = Rules::new(&note.pairs, &inventory, request.allow_empty);
                Ok((Work::Rotate(rotation::RotationLedger::new(note.pairs), rules), note.rows))
            }
            JobKind::Undo => self.begin_undo(from_slice(&dropped).expect("a request")).await,
            JobKind::MappingResync => Ok(self.begin_resync(inventory).await),
            _ => Ok((Work::append(&inventory), dropped)),
        }
    }

    async fn load_checkpoint(&self) -> Option<Note> {
        if self.job.attempts == 1 {
            return None;
        }
        self.services.get(&self.keys.checkpoint()).await.map(|bytes| from_slice(&bytes).expect("a note"))
    }

    async fn save_checkpoint(&self, note: &Note) {
        self.services.put(&self.keys.checkpoint(), to_vec(note).expect("JSON")).await;
    }

    /// `number-rotation/src/rotate.rs` and `marks.rs`.
    async fn bring_rotation(&self, request: &RotationRequest, inventory: &[InventoryNumber]) -> Note {
        let mut stale = vec![self.job.id.clone()];
        let marked: HashSet<&JobId> = inventory.iter().filter_map(|item| item.reserved_by.as_ref()).collect();
        for job in marked {
            if self.services.job(job).await.is_none_or(|job| job.state != JobState::Running) {
                stale.push(job.clone());
            }
        }
        let asked = request.pairs().expect("good pairs");
        let mut pairs = rotation::check(asked, "IN".parse().expect("a country"), inventory, &stale);
        let by_number: HashMap<CallerId, &InventoryNumber> = inventory.iter().map(|item| (item.number, item)).collect();
        let good: Vec<&InventoryNumber> = pairs.iter().filter_map(|pair| Some(by_number[&pair.good()?.old])).collect();
        if self.job.attempts == 1 || self.services.get(&self.keys.numbers()).await.is_none() {
            let before: Vec<_> =
                good.iter().map(|item| InventoryNumber { reserved_by: None, ..(*item).clone() }).collect();
            self.services.put(&self.keys.numbers(), to_vec(&before).expect("JSON")).await;
        }
        for item in inventory.iter().filter(|item| item.reserved_by.as_ref() == Some(&self.job.id)) {
            if good.iter().all(|good| good.number != item.number) {
                self.end_mark(Pair { old: item.number, new: None }, true).await;
            }
        }
        for item in good {
            if !self.mark(item, &stale).await {
                let pair = pairs.iter_mut().find(|pair| pair.good().is_some_and(|pair| pair.old == item.number));
                pair.expect("a good pair").verdict = rotation::PairVerdict::Bad {
                    code: rollcall_model::code::RowCode::NumberRetired,
                    field: String::new(),
                    message: String::new(),
                };
            }
        }
        let numbers: HashSet<CallerId> = pairs.iter().filter_map(|pair| Some(pair.good()?.old)).collect();
        let mut holders = Vec::new();
        for login in self.services.logins().await {
            let Some(user) = self.services.user(&login).await else { continue };
            if user.caller_ids.iter().any(|number| numbers.contains(number)) {
                holders.push(Holder { login, policy: Policy::Custom, caller_ids: user.caller_ids });
            }
        }
        let (rows, _) = rotation::rows(&pairs, &holders, &BTreeMap::new());
        let note = Note { pairs, rows, numbers: Vec::new() };
        self.save_checkpoint(&note).await;
        note
    }

    /// `mapping-resync/src/resync.rs`, of our own directory, confirmed.
    async fn begin_resync(&self, inventory: Vec<InventoryNumber>) -> (Work, Vec<u8>) {
        let mappings = self.services.all_mappings().await;
        let known = if self.job.attempts == 1 { None } else { self.services.get(&self.keys.checkpoint()).await };
        let side = match known {
            Some(bytes) => from_slice(&bytes).expect("a phone side"),
            None => self.phone_side(&mappings).await,
        };
        let at = self.services.time();
        let mappings = mappings.into_iter().map(|mapping| (mapping.crm_user.clone(), mapping)).collect();
        let resync = Resync { side, inventory, mappings, ledger: resync::ResyncLedger::default(), at };
        let mut rows = resync::rows();
        for mapping in resync.mappings.values() {
            resync::write_row(&mut rows, mapping, &resync.decide(Some(mapping)));
        }
        (Work::Resync(resync), rows.take())
    }

    async fn phone_side(&self, mappings: &[Mapping]) -> PhoneSide {
        let logins = mappings.iter().flat_map(Mapping::logins).collect();
        let users = self.services.people(&logins).await.into_iter().map(PhoneUser::from);
        let side = PhoneSide::new(users.collect()).expect("each user once");
        self.services.put(&self.keys.checkpoint(), to_vec(&side).expect("JSON")).await;
        side
    }

    async fn mark(&self, item: &InventoryNumber, stale: &[JobId]) -> bool {
        let mut now = item.clone();
        loop {
            let others = now.reserved_by.as_ref().is_some_and(|job| !stale.contains(job));
            if now.facts.state == NumberState::Retired || others {
                return false;
            }
            if now.reserved_by.as_ref() == Some(&self.job.id) {
                return true;
            }
            let marked =
                InventoryNumber { reserved_by: Some(self.job.id.clone()), version: now.version + 1, ..now.clone() };
            if self.services.change_number(&now, &marked).await {
                return true;
            }
            now = self.services.number(item.number).await.expect("no number is sold");
        }
    }

    async fn conclude(&self, work: &Work) -> Result<(), Stop> {
        match work {
            Work::Append(..) | Work::Resync(_) => {}
            Work::Rotate(ledger, _) => {
                let kept = ledger.kept();
                for pair in ledger.pairs().iter().filter_map(Checked::good) {
                    self.end_mark(pair, kept.contains(&pair.old)).await;
                }
            }
            Work::Undo { undone, .. } => {
                if let Ok(decided) = undone.decide(Decision::Undo, &Actor::Job(self.job.id.clone())) {
                    self.services.decide(&decided, undone.state).await;
                }
            }
        }
        Ok(())
    }

    async fn end_mark(&self, pair: Pair, kept: bool) {
        loop {
            let Some(before) = self.services.number(pair.old).await else { return };
            if before.reserved_by.as_ref() != Some(&self.job.id) {
                return;
            }
            let mut facts = before.facts.clone();
            if !kept {
                facts.state = NumberState::Retired;
            }
            let Ok(mut after) = before.change(facts, self.services.time()) else { return };
            (after.reserved_by, after.version) = (None, before.version + 1);
            if !kept {
                after.replaced_by = pair.new;
            }
            if self.services.change_number(&before, &after).await {
                return;
            }
        }
    }

    /// `bulk-undo/src/undo.rs`.
    async fn begin_undo(&self, request: UndoRequest) -> Result<(Work, Vec<u8>), Stop> {
        let refused = |reason: &str| Stop::Refused(reason.to_owned());
        let undone = self.services.job(&request.job).await.ok_or_else(|| refused("no such job"))?;
        if !undone.upload.kind.has_undo() {
            return Err(refused("no undo"));
        }
        let known = self.load_checkpoint().await;
        if known.is_none() && undone.decide(Decision::Undo, &Actor::Job(self.job.id.clone())).is_err() {
            return Err(refused("not finished"));
        }
        let effects = effects(self.services, &undone).await;
        let mut note = if let Some(note) = known {
            note
        } else {
            let mut numbers = Vec::new();
            for before in numbers_before(self.services, &undone).await {
                let now = self.services.number(before.number).await;
                numbers.extend(NumberPlan::decide(before, now.as_ref(), &undone.id));
            }
            let note = Note { pairs: Vec::new(), rows: undo::rows(&effects, &numbers), numbers };
            self.save_checkpoint(&note).await;
            note
        };
        for plan in &mut note.numbers {
            let Ok([now, restored]) = &plan.change else { continue };
            if !self.services.change_number(now, restored).await
                && self.services.number(restored.number).await.as_ref() != Some(restored)
            {
                plan.change = Err(SkipReason::Changed);
            }
        }
        let inventory = self.services.numbers().await;
        let restored = note.numbers.iter().filter_map(|plan| Some(plan.change.as_ref().ok()?[1].number));
        let taken = inventory.iter().filter(|item| item.is_assignable()).map(|item| item.number);
        let taken = taken.chain(restored).collect();
        Ok((
            Work::Undo { ledger: undo::UndoLedger::new(effects, &note.numbers), taken, undone: Box::new(undone) },
            note.rows,
        ))
    }
}

/// What a job did to users.
pub async fn effects(services: &Services, job: &Job) -> Vec<Effect> {
    let mut effects = Vec::new();
    for number in 0.. {
        let Some(bytes) = services.get(&job.keys().changes(number)).await else { break };
        let batch: Batch = from_slice(&bytes).expect("a batch");
        effects.extend(batch.plans.into_iter().filter_map(Plan::into_deed).filter(Effect::is_any));
    }
    effects
}

/// The numbers of a rotation as they were before it.
pub async fn numbers_before(services: &Services, job: &Job) -> Vec<InventoryNumber> {
    let bytes = services.get(&job.keys().numbers()).await;
    bytes.map(|bytes| from_slice(&bytes).expect("numbers")).unwrap_or_default()
}

fn each_row(columns: Schema, file: &[u8], mut take: impl FnMut(&Row<'_>)) {
    let mut reader = Reader::new(columns);
    reader.push(file).expect("a readable file");
    reader.end().expect("a readable file");
    // A rotation of nothing, or an undo of nothing, has no rows.
    while let Ok(Some(row)) = reader.next_row() {
        take(&row);
    }
}

impl Work {
    fn append(inventory: &[InventoryNumber]) -> Self {
        let reader = NumberReader::new("IN".parse().expect("a country"), inventory);
        Self::Append(reader, append::AppendRequests::default(), append::AppendRequests::default().finish_reading())
    }

    /// Decides for one user, by what the table says of it.
    fn plan(&self, at: usize, user: Option<&rollcall_model::user::User>) -> Plan {
        match self {
            Self::Append(_, _, ledger) => {
                let standing = user.map_or(append::LoginLookup::Nobody, |user| append::LoginLookup::User(user.policy));
                let list = user.map(|user| user.caller_ids.clone()).unwrap_or_default();
                Plan::Append(ledger.plan(at, standing, &list, LIST_LIMIT))
            }
            Self::Rotate(ledger, rules) => {
                let login = ledger.login(at).to_owned();
                let holder = user.map(|user| Holder {
                    login: login.clone(),
                    policy: user.policy,
                    caller_ids: user.caller_ids.clone(),
                });
                Plan::Rotate(rotation::RotationPlan::decide(&login, holder.as_ref(), rules))
            }
            Self::Undo { ledger, taken, .. } => {
                let owners = HashMap::new();
                let present = UndoTarget { user, owners: &owners, taken: Some(taken), limit: LIST_LIMIT };
                Plan::Undo(ledger.plan(at, present))
            }
            Self::Resync(_) => unreachable!("a resync looks at mappings"),
        }
    }

    fn judge(&mut self, row: &Row<'_>) -> Judgement {
        match self {
            Self::Append(reader, _, ledger) => append::judge(row, reader, ledger),
            Self::Rotate(ledger, _) => rotation::judge(row, ledger),
            Self::Undo { ledger, .. } => undo::judge(row, ledger),
            Self::Resync(resync) => resync::judge(row, &resync.ledger),
        }
    }
}
