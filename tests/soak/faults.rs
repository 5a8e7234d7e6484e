//! What goes wrong by chance, and what may come of it.

use super::random::Random;
use super::support::s3::{Fault as GetFault, PutFault};
use super::support::ses::{Fault as SendFault, Refusal};
use super::support::ssm::Fault as ParameterFault;

/// Mails in a thousand with whom something goes wrong.
const FAULTY: usize = 60;

/// What goes wrong with one invocation.
#[derive(Clone, Debug)]
pub enum Fault {
    /// One send.
    Send(SendFault),
    /// One reading of the message.
    Get(GetFault),
    /// One write to the ledger: the first, which claims, or the second, which records.
    Put(bool, PutFault),
    /// All writes to the ledger.
    Ledger(PutFault),
    /// All readings of the alias map and of the key.
    Parameters(ParameterFault),
    /// The process is killed after so many milliseconds.
    Kill(u64),
    /// It is replaced by a new one, which remembers nothing, when the invocation has ended.
    Restart,
    /// The event comes once more, although all went well.
    Again,
}

impl Fault {
    /// What goes wrong with the next mail, mostly nothing. `kills`: whether the process may end.
    pub fn by_chance(random: &mut Random, kills: bool) -> Option<Self> {
        if !random.permille(FAULTY) {
            return None;
        }
        let refused = |status: u16, code: &str| (status, code.to_owned());
        let (get, put) = (GetFault::Refuse, PutFault::Refuse);
        let (slow_down, slow_code) = refused(503, "SlowDown");
        let (denied, denied_code) = refused(403, "AccessDenied");
        let after = random.next() % 2_000;
        let all = [
            Fault::Send(SendFault::Throttle),
            Fault::Send(SendFault::ErrorBeforeBody),
            Fault::Send(SendFault::ErrorAfterBody),
            Fault::Send(SendFault::ErrorAfterTaking),
            Fault::Send(SendFault::Cut { after }),
            Fault::Send(SendFault::CutAfterTaking),
            Fault::Send(SendFault::CutAfterTaking),
            Fault::Send(SendFault::BrokenAnswer),
            Fault::Send(SendFault::Refuse(Refusal::new(
                400,
                "SendingPausedException",
                "paused",
            ))),
            Fault::Get(GetFault::Cut { after }),
            Fault::Get(get(slow_down, slow_code.clone())),
            Fault::Get(get(denied, denied_code.clone())),
            Fault::Put(random.permille(500), PutFault::conflict()),
            Fault::Put(random.permille(500), PutFault::LoseAnswer),
            Fault::Put(random.permille(500), PutFault::LoseRequest),
            Fault::Put(random.permille(500), put(slow_down, slow_code)),
            Fault::Ledger(put(denied, denied_code)),
            Fault::Parameters(ParameterFault::Throttle),
            Fault::Parameters(ParameterFault::Refuse(400, "AccessDeniedException".to_owned())),
            Fault::Again,
            Fault::Again,
            Fault::Restart,
            Fault::Kill(random.next() % 12),
            Fault::Kill(random.next() % 12),
        ];
        let count = if kills { all.len() } else { all.len() - 3 };
        Some(all[random.below(count)].clone())
    }

    /// Whether a mail that it happens to may go out once more: SES had taken it and its answer did not arrive whole, or what was
    /// sent could not be recorded.
    pub fn is_window(&self) -> bool {
        match self {
            Fault::Send(fault) => matches!(
                fault,
                SendFault::ErrorAfterTaking | SendFault::CutAfterTaking | SendFault::BrokenAnswer
            ),
            Fault::Ledger(_) | Fault::Kill(_) => true,
            Fault::Put(..) | Fault::Get(_) | Fault::Parameters(_) | Fault::Restart | Fault::Again => false,
        }
    }
}
