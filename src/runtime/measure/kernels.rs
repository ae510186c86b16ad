//! How long each kernel of a step takes.

use std::cell::{Cell, RefCell};
use std::time::Instant;

use crate::base::order::PutInOrder;
use crate::compile::Measures;
use crate::plan::Work;
use crate::runtime::kernels::allocations;
use crate::runtime::program::Diagnostics;
use crate::runtime::session::Session;
use crate::runtime::train::held::Held;

/// Steps before anything is measured.
const WARM_UP: usize = 4;
const FEWEST_STEPS: usize = 5;
const MOST_STEPS: usize = 100_000;

/// One kernel of a step.
#[derive(Clone, PartialEq, Debug)]
pub struct Kernel {
    pub work: Work,
    /// In one step: what a tenth of all steps stayed below, since what other processes take is not the kernel's.
    pub seconds: f64,
    /// How often all threads together allocate memory in one step.
    pub allocations: u64,
}

/// The kernels of a step in the order in which they are carried out, and how many steps were measured.
#[derive(Clone, PartialEq, Debug)]
pub struct Profile {
    pub kernels: Vec<Kernel>,
    pub steps: usize,
}

impl Profile {
    /// Takes steps for about so many seconds, with a look at the clock behind each kernel.
    ///
    /// # Errors
    /// E0734 if there is no memory for them.
    pub fn measure(
        session: &mut Session,
        held: &mut Held,
        measures: &Measures,
        seconds: f64,
    ) -> Result<Profile, Diagnostics> {
        let items = held.kernels();
        let count = measures.works.len();
        for _ in 0..WARM_UP {
            held.profile(session, &|_| {})?;
        }
        let clock = clock_seconds();
        // For each kernel its time in every step.
        let mut times: Vec<Vec<f64>> = vec![Vec::new(); count];
        let begun = Instant::now();
        let mut steps = 0;
        while begun.elapsed().as_secs_f64() < seconds && steps < MOST_STEPS || steps < FEWEST_STEPS {
            let spent = RefCell::new(vec![0.0; count]);
            let last = Cell::new(Instant::now());
            held.profile(session, &|item| {
                if let Some(number) = item.and_then(|item| items.get(item)) {
                    let seconds = last.get().elapsed().as_secs_f64() - clock;
                    spent.borrow_mut()[*number] += seconds.max(0.0);
                }
                last.set(Instant::now());
            })?;
            times.iter_mut().zip(spent.into_inner()).for_each(|(times, spent)| times.push(spent));
            steps += 1;
        }
        let allocations = allocations_of(session, held, &items, count)?;
        let kernels = measures.works.iter().zip(times).zip(allocations);
        let kernels = kernels.map(|((work, times), allocations)| Kernel {
            work: work.clone(),
            seconds: tenth(times),
            allocations,
        });
        Ok(Profile { kernels: kernels.collect(), steps })
    }

    /// Of all kernels together.
    pub fn seconds(&self) -> f64 {
        self.kernels.iter().map(|kernel| kernel.seconds).sum()
    }
}

/// What one step allocates, kernel by kernel. Zeros where the program's allocator does not count.
fn allocations_of(
    session: &mut Session,
    held: &mut Held,
    items: &[usize],
    count: usize,
) -> Result<Vec<u64>, Diagnostics> {
    let found: RefCell<Vec<u64>> = RefCell::new(vec![0; count]);
    let before = Cell::new(0);
    held.profile(session, &|item| {
        match item.and_then(|item| items.get(item)) {
            Some(number) => found.borrow_mut()[*number] += allocations::counted() - before.get(),
            None => allocations::count(true),
        }
        before.set(allocations::counted());
    })?;
    allocations::count(false);
    Ok(found.into_inner())
}

/// What it costs to look at the clock as [`Profile::measure`] does.
fn clock_seconds() -> f64 {
    let last = Cell::new(Instant::now());
    let mut least = f64::INFINITY;
    for _ in 0..1000 {
        least = least.min(last.get().elapsed().as_secs_f64());
        last.set(Instant::now());
    }
    least
}

fn tenth(mut times: Vec<f64>) -> f64 {
    times.put_in_order_by(f64::total_cmp);
    times.get(times.len() / 10).copied().unwrap_or(0.0)
}
