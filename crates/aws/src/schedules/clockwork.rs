//! What happens when a schedule fires or a planned tick comes due.

use super::entry::{self, Entry, Input};
use super::plan::{self, Next, Plan};
use super::stored::{self, Course, Rider, Versioned};
use super::{ATTEMPTS, EventBridgeSchedules, contended};
use attune_domain::Timestamp;
use attune_ports::records::Commit;
use attune_ports::{Tick, Unavailable};

/// Plans noted in one commit. Fewer than a commit holds, so that one that somebody changed meanwhile costs the
/// others little.
const TOGETHER: usize = 25;

impl EventBridgeSchedules {
    /// Does what an input asks for. Where it is a tick that is due now, answers it: its event is the caller's to
    /// store. A tick that comes from a schedule's own firing costs no request.
    ///
    /// # Errors
    /// [`Unavailable`]; the input is to be delivered again, which does no harm.
    pub async fn take(&self, input: Input) -> Result<Option<Tick>, Unavailable> {
        match input {
            Input::Tick(tick) => Ok(Some(tick)),
            Input::Timer { schedule, scheduled_at } => {
                Ok(entry::due(&schedule, &scheduled_at, self.clock.now()))
            }
            Input::Link { name, generation, at } => {
                self.follow(&name, generation, at).await.map(|()| None)
            }
            Input::Plan {} => self.plan_minute().await.map(|()| None),
        }
    }

    /// Looks at a timer that was quiet for long.
    async fn follow(&self, name: &str, generation: i64, at: Timestamp) -> Result<(), Unavailable> {
        for _ in 0..ATTEMPTS {
            let Some(before) = stored::load(&*self.records, name).await? else { return Ok(()) };
            let Course::Link { at: agreed, progress } = before.value.course else { return Ok(()) };
            // Another setting's link, or one that was followed before.
            if before.value.schedule.timer.generation != generation || agreed != at {
                return Ok(());
            }
            if self.replace(Some(&before), &before.value.schedule, progress).await? {
                return Ok(());
            }
        }
        Err(contended(name))
    }

    /// Plans the next minutes of every timer that rides on this.
    async fn plan_minute(&self) -> Result<(), Unavailable> {
        let riders = stored::riders(&*self.records).await?;
        if riders.is_empty() {
            self.service.delete(&Entry::minute().name).await?;
            // Somebody may have come aboard meanwhile, and found the schedule still there.
            if !stored::riders(&*self.records).await?.is_empty() {
                self.service.create(&Entry::minute()).await?;
            }
            return Ok(());
        }
        let now = self.clock.now();
        let mut ticks = Vec::new();
        let mut staying = Vec::new();
        let mut leaving = Vec::new();
        for rider in riders {
            let Plan { ticks: more, progress, next } =
                plan::plan(&rider.value.schedule, rider.value.progress, now);
            if next == Next::Minute {
                ticks.extend(more);
                let schedule = rider.value.schedule;
                staying.push(Versioned {
                    value: Rider { schedule, progress },
                    version: rider.version,
                });
            } else {
                leaving.push(rider.value);
            }
        }
        self.service.send(&ticks, now).await?;
        for together in staying.chunks(TOGETHER) {
            self.note(together).await?;
        }
        for rider in leaving {
            self.leave(&rider).await?;
        }
        Ok(())
    }

    /// Notes what was planned. What somebody changed meanwhile was planned anew there, or is gone.
    async fn note(&self, riders: &[Versioned<Rider>]) -> Result<(), Unavailable> {
        let advance =
            |commit, rider: &Versioned<Rider>| stored::advance(commit, &rider.value, rider.version);
        if self.commit(riders.iter().fold(Commit::new(), advance)).await? || riders.len() == 1 {
            return Ok(());
        }
        for rider in riders {
            self.commit(advance(Commit::new(), rider)).await?;
        }
        Ok(())
    }

    /// Plans what no longer needs a look every minute, and says who looks next.
    async fn leave(&self, rider: &Rider) -> Result<(), Unavailable> {
        let name = &rider.schedule.name;
        let Some(before) = stored::load(&*self.records, name).await? else { return Ok(()) };
        if before.value.course != Course::Minute || before.value.schedule != rider.schedule {
            return Ok(());
        }
        // Where somebody was faster, the next minute looks again.
        self.replace(Some(&before), &rider.schedule, rider.progress).await.map(drop)
    }
}
