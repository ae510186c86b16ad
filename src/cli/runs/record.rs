//! The folder of a run while it is at work: the program, `run.json`, metrics and events.

mod anew;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};

use super::metrics::{self, Metrics};
use super::sha256;
use super::tfevents::{self, EventFile};
use crate::base::Diagnostic;
use crate::ir::program::{Action, Precision, Source};
use crate::runtime::data::read::resolve;
use crate::runtime::events::{EpochReport, Event, Observer};
use crate::runtime::sources::csv::date_of;
use crate::runtime::world::native::write::write_atomically;
use crate::runtime::program::Program;

/// Files larger than this are not read for a checksum.
const MOST_HASHED: u64 = 1 << 30;
/// Runs of one program in one folder.
const MOST_RUNS: usize = 1_000_000;

/// The folder of a run. Clones are of the same run.
#[derive(Clone)]
pub struct Folder {
    pub path: PathBuf,
    /// Whether this run has made the folder, under a name of its choice.
    is_new: bool,
    log: Arc<Mutex<Log>>,
    /// Locked while the run is at work, also if it ends without a word; `None` where folders have no locks.
    _lock: Option<Arc<fs::File>>,
}

/// What is known of the run so far.
struct Log {
    info: Map<String, Value>,
    begun: Instant,
    /// Seconds that earlier parts of the run took.
    before: f64,
    metrics: Option<Metrics>,
    events: Option<EventFile>,
    /// The number of the training at work, from 1, and the step that it goes on from.
    train: usize,
    step: u64,
    /// Why something could not be written; it is told once.
    failed: Option<io::Error>,
}

/// What a run is, before anything is carried out.
pub struct Begun<'a> {
    pub program: &'a Program,
    /// The text of the program with what the command line sets.
    pub text: &'a str,
    /// The file that it was read from.
    pub file: &'a Path,
    pub init: Option<&'a Path>,
    /// The files that give the rows of data sets, by `--data`.
    pub data: &'a [(String, PathBuf)],
}

impl Folder {
    /// Makes a new folder: `given`, which must not be there or be empty, or `runs/STEM-N`.
    ///
    /// # Errors
    /// E0714, E0776 if there is something in it.
    pub fn create(given: Option<&Path>, begun: &Begun<'_>) -> Result<Folder, Diagnostic> {
        let path = match given {
            Some(path) => {
                if fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some()) {
                    let message = format!("`{}` is not empty: a run has its own folder", path.display());
                    let error = Diagnostic::error("E0776", message);
                    return Err(error.help("`nnc resume` goes on with a run that was broken off"));
                }
                fs::create_dir_all(path).map_err(|error| cannot(path, &error))?;
                path.to_path_buf()
            }
            None => {
                let stem = begun.file.file_stem().map(|stem| stem.to_string_lossy().into_owned());
                next_folder(&stem.unwrap_or_else(|| "run".to_owned()))?
            }
        };
        let info = info(begun);
        let write = |name: &str, text: &str| {
            let path = path.join(name);
            write_atomically(&path, &mut |out| out.write_all(text.as_bytes()))
                .map_err(|error| cannot(&path, &error))
        };
        write("program.nn", begun.text)?;
        let log = Arc::new(Mutex::new(Log::new(info, 0.0, (0, 0))));
        let folder = Folder { path: path.clone(), is_new: given.is_none(), log, _lock: locked(&path) };
        folder.write_info().map_err(|error| cannot(&path, &error))?;
        Ok(folder)
    }

    /// The folder of a run that was broken off in training number `train`, from 0, at `step`.
    ///
    /// # Errors
    /// E0776 if it is none.
    pub fn reopen(path: &Path, train: usize, step: u64) -> Result<Folder, Diagnostic> {
        let info = read_info(path)?;
        let before = info.get("seconds").and_then(Value::as_f64).unwrap_or(0.0);
        let log = Log::new(info, before, (train, step));
        let log = Arc::new(Mutex::new(log));
        Ok(Folder { path: path.to_path_buf(), is_new: false, log, _lock: locked(path) })
    }

    /// Where parameters and the state of the training are kept.
    pub fn last(&self) -> PathBuf {
        self.path.join("last.safetensors")
    }

    /// Where the parameters with the least loss of the validation are kept.
    pub fn best(&self) -> PathBuf {
        self.path.join("best.safetensors")
    }

    /// Where the pictures of its `plot` lines are.
    pub fn pictures(&self) -> PathBuf {
        self.path.join("pictures")
    }

    /// An observer that notes what happens.
    pub fn listener(&self, inner: Box<dyn Observer>) -> Recorder {
        Recorder { inner, folder: self.clone() }
    }

    /// Notes how the run ended. A folder that nobody has asked for is not left behind without parameters.
    pub fn finish(&self, result: &str) {
        if self.is_new && result != "finished" && !self.has_parameters() {
            // If it cannot be removed, it says at least how the run ended.
            let _ = fs::remove_dir_all(&self.path);
            let _ = self.path.parent().map(fs::remove_dir);
            if !self.path.exists() {
                return;
            }
        }
        self.with(|log| drop(log.info.remove("state")));
        self.note("result", json!(result));
        let seconds = self.with(|log| log.before + log.begun.elapsed().as_secs_f64());
        self.note("seconds", json!(seconds));
        let written = self.with(Log::flush).and_then(|()| self.write_info());
        if let Err(error) = written {
            self.with(|log| log.fail(error));
        }
    }

    /// Says what the run does at the moment, where that is not known yet.
    pub fn note_state(&self, state: &str) {
        if self.with(|log| log.info.get("state").and_then(Value::as_str).unwrap_or("at work") != state) {
            self.note("state", json!(state));
            self.write_or_fail();
        }
    }

    /// Says what was asked of the run and could not be done.
    pub fn note_refused(&self, what: &str) {
        self.note("refused", json!(what));
        self.write_or_fail();
    }

    /// Puts another program in place of the one at work, which is kept under another name, with the step at which that
    /// happens. Whoever goes on after a break between two of these writes goes on with either.
    ///
    /// # Errors
    /// Those of the system.
    pub fn change_program(&self, text: &str, (train, step): (usize, u64)) -> io::Result<()> {
        let current = self.path.join("program.nn");
        let old = fs::read(&current)?;
        let mut changes = self.with(|log| log.info.get("changes").cloned()).unwrap_or_else(|| json!([]));
        let name = format!("program-{}.nn", changes.as_array().map_or(0, Vec::len) + 1);
        write_atomically(&self.path.join(&name), &mut |out| out.write_all(&old))?;
        if let Some(changes) = changes.as_array_mut() {
            let before = sha256::of_bytes(&old);
            changes.push(json!({ "until": step, "training": train, "program": name, "program_sha256": before }));
        }
        self.note("changes", changes);
        let seconds = self.with(|log| log.before + log.begun.elapsed().as_secs_f64());
        self.note("seconds", json!(seconds));
        self.note("program_sha256", json!(sha256::of_bytes(text.as_bytes())));
        self.with(|log| drop(log.info.remove("refused")));
        self.with(Log::flush)?;
        self.write_info()?;
        write_atomically(&current, &mut |out| out.write_all(text.as_bytes()))
    }

    fn write_or_fail(&self) {
        if let Err(error) = self.write_info() {
            self.with(|log| log.fail(error));
        }
    }

    /// Whether anything was learnt that is kept.
    pub fn has_parameters(&self) -> bool {
        [self.last(), self.best()].iter().any(|path| path.exists())
    }

    /// What could not be written, if something could not.
    pub fn failure(&self) -> Option<String> {
        self.with(|log| log.failed.take().map(|error| error.to_string()))
    }

    fn note(&self, key: &str, value: Value) {
        self.with(|log| drop(log.info.insert(key.to_owned(), value)));
    }

    fn with<T>(&self, work: impl FnOnce(&mut Log) -> T) -> T {
        work(&mut self.log.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn write_info(&self) -> io::Result<()> {
        let text = self.with(|log| serde_json::to_string_pretty(&log.info).unwrap_or_default());
        write_atomically(&self.path.join("run.json"), &mut |out| writeln!(out, "{text}"))
    }
}

impl Log {
    fn new(info: Map<String, Value>, before: f64, (train, step): (usize, u64)) -> Log {
        let begun = Instant::now();
        Log { info, begun, before, metrics: None, events: None, train, step, failed: None }
    }

    /// Remembers what went wrong first.
    fn fail(&mut self, error: io::Error) {
        self.failed.get_or_insert(error);
    }

    /// A training begins.
    fn start(&mut self, folder: &Path) -> io::Result<()> {
        self.train += 1;
        let name = match self.train {
            1 => "metrics.csv".to_owned(),
            number => format!("metrics-{number}.csv"),
        };
        let step = std::mem::take(&mut self.step);
        self.metrics = Some(Metrics::open(&folder.join(name), step)?);
        if self.events.is_none() {
            tfevents::forget(folder, self.train, step)?;
            self.events = Some(EventFile::create(folder, now())?);
        }
        Ok(())
    }

    fn epoch(&mut self, report: &EpochReport) -> io::Result<()> {
        let seconds = self.before + self.begun.elapsed().as_secs_f64();
        if let Some(metrics) = &mut self.metrics {
            metrics.add(report, seconds)?;
        }
        let values = metrics::values(report);
        if let Some(events) = &mut self.events {
            let tag = |name: &str| match name.strip_prefix("validation ") {
                Some(name) => format!("{name}/validation"),
                None => format!("{name}/train"),
            };
            let tagged: Vec<(String, f64)> = values.iter().map(|(name, value)| (tag(name), *value)).collect();
            events.add(now(), report.step, &tagged)?;
        }
        let last: Map<String, Value> = values.into_iter().map(|(name, value)| (name, json!(value))).collect();
        self.info.insert("last".to_owned(), Value::Object(last));
        self.info.insert("epochs".to_owned(), json!(report.epoch));
        self.info.insert("steps".to_owned(), json!(report.step));
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        if let Some(metrics) = &mut self.metrics {
            metrics.flush()?;
        }
        self.events.as_mut().map_or(Ok(()), EventFile::flush)
    }
}

/// Notes what happens, and passes it on.
pub struct Recorder {
    inner: Box<dyn Observer>,
    folder: Folder,
}

impl Observer for Recorder {
    fn event(&mut self, event: &Event<'_>) {
        let path = self.folder.path.clone();
        let done = self.folder.with(|log| match event {
            Event::Start(_) => log.start(&path),
            Event::Epoch(report) => log.epoch(report),
            Event::Progress { .. } | Event::End(_) => log.flush(),
            _ => Ok(()),
        });
        if let Err(error) = done {
            self.folder.with(|log| log.fail(error));
        }
        self.inner.event(event);
    }

    fn every(&self) -> Option<u64> {
        self.inner.every()
    }

    fn stop(&mut self) -> bool {
        self.inner.stop()
    }

    fn steps_at_once(&self) -> Option<u64> {
        self.inner.steps_at_once()
    }

    fn leave(&mut self) -> bool {
        self.inner.leave()
    }
}

/// A lock on a folder, as long as the value lives.
fn locked(path: &Path) -> Option<Arc<fs::File>> {
    let folder = fs::File::open(path).ok()?;
    folder.try_lock_shared().ok()?;
    Some(Arc::new(folder))
}

/// Whether nobody is at work in the folder of a run: what `run.json` calls running was killed then.
pub fn is_abandoned(path: &Path) -> bool {
    // The lock goes with the value.
    fs::File::open(path).is_ok_and(|folder| folder.try_lock().is_ok())
}

/// Until which steps earlier programs of a run were at work: the number of the training, the step, the file.
pub fn changes(info: &Map<String, Value>) -> Vec<(usize, u64, String)> {
    let entries = info.get("changes").and_then(Value::as_array).into_iter().flatten();
    let change = |entry: &Value| {
        let training = usize::try_from(entry["training"].as_u64()?).ok()?;
        let name = entry["program"].as_str().filter(|name| !name.contains(['/', '\\']))?;
        Some((training, entry["until"].as_u64()?, name.to_owned()))
    };
    entries.filter_map(change).collect()
}

/// What `run.json` says.
///
/// # Errors
/// E0776 if the folder has none.
pub fn read_info(folder: &Path) -> Result<Map<String, Value>, Diagnostic> {
    let wrong = |why: String| {
        let message = format!("`{}` is no folder of a run: {why}", folder.display());
        Diagnostic::error("E0776", message).help("`nnc runs` lists them; `nnc run --out FOLDER` makes one")
    };
    let text =
        fs::read_to_string(folder.join("run.json")).map_err(|error| wrong(format!("run.json: {error}")))?;
    match serde_json::from_str(&text) {
        Ok(Value::Object(info)) => Ok(info),
        _ => Err(wrong("its run.json is damaged".into())),
    }
}

fn cannot(path: &Path, error: &io::Error) -> Diagnostic {
    Diagnostic::error("E0714", format!("cannot write `{}`: {error}", path.display()))
}

/// Makes `runs/STEM-N` with the least N behind those that are there.
///
/// # Errors
/// E0714, E0776.
pub fn next_folder(stem: &str) -> Result<PathBuf, Diagnostic> {
    let runs = Path::new("runs");
    fs::create_dir_all(runs).map_err(|error| cannot(runs, &error))?;
    let number = |name: &str| name.strip_prefix(&format!("{stem}-"))?.parse::<usize>().ok();
    let entries = fs::read_dir(runs).into_iter().flatten().flatten();
    let known = entries.filter_map(|entry| number(&entry.file_name().to_string_lossy())).max().unwrap_or(0);
    // Another run may take the name at the same moment.
    for number in known + 1..MOST_RUNS {
        let path = runs.join(format!("{stem}-{number}"));
        match fs::create_dir(&path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(cannot(&path, &error)),
        }
    }
    Err(Diagnostic::error("E0776", "there are too many runs in `runs`"))
}

fn info(begun: &Begun<'_>) -> Map<String, Value> {
    let checked = begun.program.checked();
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let base =
        if begun.program.base().as_os_str().is_empty() { Path::new(".") } else { begun.program.base() };
    let command: Vec<String> = std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    let mut info = Map::new();
    let mut note = |key: &str, value: Value| drop(info.insert(key.to_owned(), value));
    note("nnc", json!(env!("CARGO_PKG_VERSION")));
    note("command", json!(command));
    note("program", json!(absolute(begun.file)));
    note("program_sha256", json!(sha256::of_bytes(begun.text.as_bytes())));
    note("base", json!(absolute(base)));
    note("init", json!(begun.init.map(absolute)));
    let given = begun.data.iter().map(|(name, path)| (name.clone(), json!(absolute(path))));
    note("given", Value::Object(given.collect()));
    note("seed", json!(checked.seed));
    note("precision", json!(if checked.precision == Precision::F32 { "f32" } else { "f64" }));
    note("data", Value::Object(data_files(begun.program)));
    note("machine", machine());
    note("started", json!(date_text(now())));
    note("result", json!("running"));
    info
}

/// What `run.json` of a folder says otherwise than a run that begins: on these the results depend.
///
/// # Errors
/// E0776 if the folder is of no run.
pub fn difference(folder: &Path, begun: &Begun<'_>) -> Result<Option<&'static str>, Diagnostic> {
    let (there, new) = (read_info(folder)?, info(begun));
    let parts = [
        ("nnc", "the version of nnc"),
        ("program_sha256", "the program"),
        ("data", "the data"),
        ("given", "a file of `--data`"),
    ];
    Ok(parts.into_iter().find(|(key, _)| there.get(*key) != new.get(*key)).map(|(_, name)| name))
}

/// The files of the data sets, each with its checksum and length.
pub fn data_files(program: &Program) -> Map<String, Value> {
    let mut files = Map::new();
    for set in &program.checked().data {
        let Some((path, _)) = set.source.file() else { continue };
        let file = resolve(program.base(), path);
        let is_small = fs::metadata(&file).is_ok_and(|metadata| metadata.is_file() && metadata.len() <= MOST_HASHED);
        let value = match is_small.then(|| sha256::of_file(&file)) {
            Some(Ok((hash, length))) => json!({ "sha256": hash, "bytes": length }),
            _ => json!({ "bytes": fs::metadata(&file).map(|metadata| metadata.len()).ok() }),
        };
        files.insert(path.to_owned(), value);
    }
    files
}

fn machine() -> Value {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    json!({
        "system": std::env::consts::OS,
        "architecture": std::env::consts::ARCH,
        "processor": model.map(|(_, name)| name),
        "processors": std::thread::available_parallelism().map(usize::from).ok(),
    })
}

/// Whether a program trains on data of files.
pub fn trains_on_files(program: &Program) -> bool {
    let checked = program.checked();
    checked.actions.iter().any(|action| match action {
        Action::Train(train) => {
            let set = checked.data.iter().find(|set| set.name == train.data.set);
            set.is_some_and(|set| !matches!(set.source, Source::None | Source::Given { .. }))
        }
        _ => false,
    })
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64())
}

/// `2026-11-28T18:20:05Z`
fn date_text(seconds: f64) -> String {
    let seconds = seconds as i64;
    let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = date_of(days);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", rest / 3600, rest / 60 % 60, rest % 60)
}

#[cfg(test)]
mod tests {
    use super::date_text;

    #[test]
    fn dates() {
        assert_eq!(date_text(0.0), "1970-01-01T00:00:00Z");
        assert_eq!(date_text(951_782_399.9), "2000-02-28T23:59:59Z");
        assert_eq!(date_text(1_709_164_800.0), "2024-02-29T00:00:00Z");
    }
}
