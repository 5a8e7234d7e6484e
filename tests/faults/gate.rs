//! The gate that every request passes: it knows the step that a request belongs to, and does there what it is told.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use super::step::{Progress, Service, Step};
use super::support::http::{Head, Stage, Watch};
use super::support::lock;

/// Done where a request has come as far as it should. The request goes on when it returns, and is cut off after an error.
pub type Act = Arc<dyn Fn() -> io::Result<()> + Send + Sync>;

/// What is done, where, and how often.
#[derive(Clone)]
pub struct Plan {
    pub step: Step,
    pub stage: Stage,
    pub act: Act,
    /// Only to requests of this method.
    pub method: Option<&'static str>,
    /// Only to the first request that comes there.
    pub is_once: bool,
    /// Whether the request is not served as usual.
    pub spoils: bool,
}

#[derive(Default)]
struct State {
    plan: Option<Plan>,
    hits: usize,
    progress: Progress,
    /// The steps of the requests that are being served, by service and connection, and whether they were spoiled.
    open: BTreeMap<(Service, usize), (Step, bool)>,
    seen: Vec<Step>,
}

/// The gate.
#[derive(Default)]
pub struct Gate(Mutex<State>);

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gate")
    }
}

impl Gate {
    /// The watch for a service's requests.
    pub fn watch(self: &Arc<Self>, service: Service) -> Watch {
        let gate = Arc::clone(self);
        Arc::new(move |stage, head, body| gate.pass(service, stage, head, body))
    }

    /// An invocation begins, with this plan or without any.
    pub fn begin(&self, plan: Option<Plan>) {
        let mut state = lock(&self.0);
        state.plan = plan;
        state.hits = 0;
        state.progress = Progress::default();
        state.seen.clear();
    }

    /// How often the plan was carried out.
    pub fn hits(&self) -> usize {
        lock(&self.0).hits
    }

    /// The steps of the requests since the invocation began.
    pub fn seen(&self) -> Vec<Step> {
        lock(&self.0).seen.clone()
    }

    fn pass(&self, service: Service, stage: Stage, head: &Head, body: &[u8]) -> io::Result<()> {
        let act = lock(&self.0).note(service, stage, head, body);
        act.map_or(Ok(()), |act| act())
    }
}

impl State {
    fn note(&mut self, service: Service, stage: Stage, head: &Head, body: &[u8]) -> Option<Act> {
        let place = (service, head.connection);
        let is_known = stage == Stage::Done || stage == Stage::Arrived && service == Service::Ses;
        let step = match self.open.get(&place) {
            Some((step, _)) if is_known => *step,
            // The head alone says what SES is asked, and there what spoils the body has to be known before it.
            _ if stage == Stage::Begun && service != Service::Ses => return None,
            _ => self.progress.step_of(service, head, body)?,
        };
        if step == Step::Send && stage == Stage::Done {
            self.progress.has_sent = true;
        }
        if stage == Stage::Arrived {
            self.seen.push(step);
        }
        let mut spoiled = self
            .open
            .get(&place)
            .is_some_and(|(_, spoiled)| *spoiled && is_known);
        let planned = self.plan.as_ref();
        let planned = planned.filter(|plan| plan.step == step && plan.stage == stage);
        let planned = planned.filter(|plan| plan.method.is_none_or(|method| method == head.method));
        let act = planned
            .filter(|plan| self.hits == 0 || !plan.is_once)
            .map(|plan| {
                spoiled |= plan.spoils;
                Arc::clone(&plan.act)
            });
        self.hits += usize::from(act.is_some());
        if stage == Stage::Done && step == Step::First && !spoiled {
            self.progress.has_read = true;
        }
        self.open.insert(place, (step, spoiled));
        act
    }
}

/// Holds requests until it is opened.
#[derive(Debug, Default)]
pub struct Latch {
    state: Mutex<(bool, bool)>,
    changed: Condvar,
}

impl Latch {
    /// Waits until it is opened.
    pub fn hold(&self) {
        let mut state = lock(&self.state);
        state.0 = true;
        self.changed.notify_all();
        let opened = self.changed.wait_while(state, |(_, is_open)| !*is_open);
        drop(opened.unwrap_or_else(PoisonError::into_inner));
    }

    /// Waits for a request that is held. Returns whether one came.
    pub fn wait(&self, patience: Duration) -> bool {
        let state = lock(&self.state);
        let waited = self
            .changed
            .wait_timeout_while(state, patience, |(is_held, _)| !*is_held);
        waited.unwrap_or_else(PoisonError::into_inner).0.0
    }

    /// Lets all go on.
    pub fn open(&self) {
        lock(&self.state).1 = true;
        self.changed.notify_all();
    }
}
