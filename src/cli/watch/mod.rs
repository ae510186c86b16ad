//! `nnc watch`: a page in the browser that shows a run while it is at work, and asks things of it.
//!
//! | file | does |
//! |---|---|
//! | [`http`] | requests and responses, and who may ask |
//! | [`feed`] | what is new in the folder of the run, as events |
//! | `page.html`, `page.js`, `page.css` | the page |
//!
//! The page reads nothing from elsewhere. Another page in the same browser cannot ask anything of the run: what changes
//! something must bring a word that stands in this page only, and the name that the browser calls must be this computer's.

mod feed;
mod http;

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use clap::Args;
use serde_json::Value;

use super::output::say;
use super::runs::record::{is_abandoned, read_info};
use super::steer::{Ask, ask};
use super::{Failure, folder, page};
use crate::base::Diagnostic;
use feed::Feed;
use http::{Request, Response};

/// The port that is tried first.
const PORT: u16 = 8117;
/// So many ports are tried after it.
const MORE_PORTS: u16 = 32;
/// More clients at a time are sent away.
const MOST_CLIENTS: usize = 64;
/// How often it is looked for news.
const LOOK: Duration = Duration::from_millis(250);
/// Bytes of the stack of a thread that answers: a report is written there.
const STACK: usize = 1 << 24;

const PAGE: &str = include_str!("page.html");
const SCRIPT: &str = include_str!("page.js");
const STYLE: &str = include_str!("page.css");

/// Watch a run in the browser while it is at work: curves, pictures, pause, stop, another learning rate.
#[derive(Args)]
#[command(after_help = "\
The page is for this computer only, unless `--address` says another: then whoever reaches that address sees the run and
can stop it.

Examples:
  nnc run digits.nn --out runs/first &
  nnc watch runs/first
  nnc watch runs/first --port 9000
  nnc watch runs/first --address 0.0.0.0")]
pub struct Watch {
    /// The folder of the run.
    run: PathBuf,
    /// The port [default: 8117, or the next one that is free].
    #[arg(long, value_name = "N")]
    port: Option<u16>,
    /// The address to listen at [default: 127.0.0.1, this computer only].
    #[arg(long, value_name = "ADDRESS")]
    address: Option<IpAddr>,
}

/// What all clients share.
struct Place {
    run: PathBuf,
    /// The word that a request must bring that changes something.
    word: String,
    /// Whether only this computer may ask.
    is_local: bool,
    clients: AtomicUsize,
}

impl Watch {
    pub fn carry_out(self) -> Result<(), Failure> {
        read_info(&self.run).map_err(folder::failed)?;
        let address = self.address.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
        let listener = self.listen(address).map_err(|error| {
            let message = format!("cannot listen at {address}: {error}");
            folder::failed(Diagnostic::error("E0898", message).help("`--port N` names another port"))
        })?;
        let at = listener.local_addr().unwrap_or_else(|_| SocketAddr::new(address, PORT));
        say(&format!("{} is at http://{at}/ until Ctrl-C ends this", self.run.display()));
        if !address.is_loopback() {
            say("whoever reaches this address can see the run and stop it");
        }
        let place = Arc::new(Place {
            run: self.run,
            word: word(),
            is_local: address.is_loopback(),
            clients: AtomicUsize::new(0),
        });
        for stream in listener.incoming().flatten() {
            let place = Arc::clone(&place);
            // Who cannot be answered is not.
            drop(std::thread::Builder::new().stack_size(STACK).spawn(move || place.serve(stream)));
        }
        Ok(())
    }

    fn listen(&self, address: IpAddr) -> io::Result<TcpListener> {
        match self.port {
            Some(port) => TcpListener::bind((address, port)),
            None => {
                let mut ports = PORT..=PORT + MORE_PORTS;
                let free = ports.find_map(|port| TcpListener::bind((address, port)).ok());
                free.map_or_else(|| TcpListener::bind((address, 0)), Ok)
            }
        }
    }
}

/// A word that nobody guesses.
fn word() -> String {
    let part = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", part(), part())
}

impl Place {
    fn serve(&self, stream: TcpStream) {
        let count = self.clients.fetch_add(1, Ordering::SeqCst);
        if count < MOST_CLIENTS {
            // A client that goes away is no fault of anybody.
            let _ = self.answer(stream);
        }
        self.clients.fetch_sub(1, Ordering::SeqCst);
    }

    fn answer(&self, mut stream: TcpStream) -> io::Result<()> {
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        stream.set_write_timeout(Some(Duration::from_secs(10)))?;
        let Some(request) = Request::read(&mut stream)? else {
            return Response::error(400, "this is no request").write(&mut stream);
        };
        if self.is_local && !request.is_for_this_computer() {
            return Response::error(403, "this page is for this computer only").write(&mut stream);
        }
        let path = request.path.split('?').next().unwrap_or_default();
        let response = match (request.method.as_str(), path) {
            ("GET", "/") => Response::html(PAGE.replace("{word}", &self.word)),
            ("GET", "/page.js") => Response::of("text/javascript", SCRIPT),
            ("GET", "/page.css") => Response::of("text/css", STYLE),
            ("GET", "/events") => return self.events(stream),
            ("GET", "/program") => match std::fs::read(self.run.join("program.nn")) {
                Ok(text) => Response::of("text/plain; charset=utf-8", text),
                Err(error) => Response::error(500, &error.to_string()),
            },
            ("GET", "/report.html") => self.report(),
            ("GET", path) if path.starts_with("/pictures/") => self.picture(&path["/pictures/".len()..]),
            ("POST", "/ask") => self.ask(&request),
            ("GET", _) => Response::error(404, "there is no such page"),
            _ => Response::error(405, "this is no way to ask"),
        };
        response.write(&mut stream)
    }

    /// Sends what is new until the client goes away.
    fn events(&self, mut stream: TcpStream) -> io::Result<()> {
        Response::events(&mut stream)?;
        let mut feed = Feed::new(&self.run);
        let mut quiet = 0;
        loop {
            let news = feed.news();
            // A comment now and then shows whether the client is still there.
            quiet = if news.is_empty() { quiet + 1 } else { 0 };
            if !news.is_empty() {
                stream.write_all(news.as_bytes())?;
            } else if quiet % 20 == 0 {
                stream.write_all(b": still here\n\n")?;
            }
            std::thread::sleep(LOOK);
        }
    }

    /// The report as the run stands now.
    fn report(&self) -> Response {
        match page::text(&self.run) {
            Ok(text) => Response::html(text),
            Err(Failure::Program(errors)) => {
                let why = errors.iter().find(|error| error.is_error()).map(|error| error.message.clone());
                Response::error(500, &why.unwrap_or_default())
            }
            Err(_) => Response::error(500, "there is no report yet"),
        }
    }

    /// A picture of the folder, by a name that is there.
    fn picture(&self, name: &str) -> Response {
        let wanted = feed::pictures(&self.run).into_iter().find(|picture| picture.name == name);
        match wanted.and_then(|picture| std::fs::read(picture.path).ok()) {
            Some(bytes) => Response::of("image/svg+xml", bytes),
            None => Response::error(404, "there is no such picture"),
        }
    }

    fn ask(&self, request: &Request) -> Response {
        if request.header("x-nnc-word") != Some(&self.word) {
            return Response::error(403, "this page may not ask anything of the run: load it again");
        }
        let value: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let Some(wanted) = Ask::parse(&value) else {
            return Response::error(400, "nobody can ask this of a run");
        };
        if !is_at_work(&self.run) {
            return Response::error(409, "this run is not at work");
        }
        match ask(&self.run, &wanted) {
            Ok(()) => Response::of("application/json", "{}"),
            Err(error) => Response::error(500, &error.to_string()),
        }
    }
}

/// Whether somebody carries the run out now.
fn is_at_work(run: &Path) -> bool {
    let result = read_info(run).ok().and_then(|info| Some(info.get("result")?.as_str()? == "running"));
    result == Some(true) && !is_abandoned(run)
}
