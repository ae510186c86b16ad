//! As much of HTTP as a page for one user needs: a request is read, a response is written, the connection ends.

use std::io::{self, Read, Write};

/// The lines before the body are not longer.
const MOST_HEAD: usize = 16 << 10;
/// Nobody sends a longer body.
const MOST_BODY: usize = 16 << 10;
/// What the page may do: nothing but read from where it came.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                      connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// A request as it was read.
#[derive(Debug)]
pub struct Request {
    pub method: String,
    pub path: String,
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    /// Reads a request; `None` if it is none.
    ///
    /// # Errors
    /// Those of the system.
    pub fn read(from: &mut impl Read) -> io::Result<Option<Request>> {
        let mut bytes = Vec::new();
        let end = loop {
            if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                break end;
            }
            if bytes.len() > MOST_HEAD || !more(from, &mut bytes)? {
                return Ok(None);
            }
        };
        let Ok(head) = std::str::from_utf8(&bytes[..end]) else { return Ok(None) };
        let mut lines = head.split("\r\n");
        let mut words = lines.next().unwrap_or_default().split(' ');
        let (Some(method), Some(path), Some("HTTP/1.1" | "HTTP/1.0")) = (words.next(), words.next(), words.next()) else {
            return Ok(None);
        };
        let header = |line: &str| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_ascii_lowercase(), value.trim().to_owned()))
        };
        let headers: Vec<(String, String)> = lines.filter_map(header).collect();
        let mut request = Request { method: method.into(), path: path.into(), headers, body: Vec::new() };
        let length = request.header("content-length").map_or(Some(0), |length| length.parse::<usize>().ok());
        let Some(length) = length.filter(|length| *length <= MOST_BODY) else { return Ok(None) };
        request.body = bytes.split_off(end + 4);
        while request.body.len() < length {
            if !more(from, &mut request.body)? {
                return Ok(None);
            }
        }
        request.body.truncate(length);
        Ok(Some(request))
    }

    /// A header, by its name in small letters.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether the browser calls this computer by a name of its own, so that no other page's name leads here.
    pub fn is_for_this_computer(&self) -> bool {
        let Some(host) = self.header("host") else { return false };
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => host,
        };
        matches!(name, "localhost" | "[::1]") || name.parse().is_ok_and(|ip: std::net::Ipv4Addr| ip.is_loopback())
    }
}

/// Reads what has come; `false` at the end.
fn more(from: &mut impl Read, bytes: &mut Vec<u8>) -> io::Result<bool> {
    let mut part = [0; 4096];
    let count = from.read(&mut part)?;
    bytes.extend_from_slice(&part[..count]);
    Ok(count > 0)
}

/// A response with a body.
pub struct Response {
    status: u16,
    kind: &'static str,
    body: Vec<u8>,
}

impl Response {
    pub fn of(kind: &'static str, body: impl Into<Vec<u8>>) -> Response {
        Response { status: 200, kind, body: body.into() }
    }

    pub fn html(body: impl Into<Vec<u8>>) -> Response {
        Response::of("text/html; charset=utf-8", body)
    }

    pub fn error(status: u16, why: &str) -> Response {
        Response { status, kind: "text/plain; charset=utf-8", body: format!("{why}\n").into_bytes() }
    }

    /// # Errors
    /// Those of the system.
    pub fn write(&self, to: &mut impl Write) -> io::Result<()> {
        let head = head(self.status, self.kind);
        write!(to, "{head}Content-Length: {}\r\nConnection: close\r\n\r\n", self.body.len())?;
        to.write_all(&self.body)?;
        to.flush()
    }

    /// The head of a response that goes on and on: server-sent events.
    ///
    /// # Errors
    /// Those of the system.
    pub fn events(to: &mut impl Write) -> io::Result<()> {
        write!(to, "{}Connection: close\r\n\r\nretry: 1000\n\n", head(200, "text/event-stream"))?;
        to.flush()
    }
}

fn head(status: u16, kind: &str) -> String {
    let word = match status {
        200 => "OK",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        _ => "Internal Server Error",
    };
    format!(
        "HTTP/1.1 {status} {word}\r\nContent-Type: {kind}\r\nCache-Control: no-store\r\nX-Content-Type-Options: \
         nosniff\r\nContent-Security-Policy: {POLICY}\r\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Request> {
        Request::read(&mut text.as_bytes()).expect("it is in memory")
    }

    #[test]
    fn requests_are_read() {
        let request = read("POST /ask HTTP/1.1\r\nHost: localhost:8117\r\nContent-Length: 4\r\n\r\nabcdef").unwrap();
        assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/ask"));
        assert_eq!(request.body, b"abcd");
        for text in [
            "",
            "GET /\r\n\r\n",
            "GET / HTTP/1.1\r\n",
            "GET / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n",
            "GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
            "GET / HTTP/1.1\r\nContent-Length: 4\r\n\r\nab",
        ] {
            assert!(read(text).is_none(), "{text:?}");
        }
        assert!(read(&format!("GET / HTTP/1.1\r\nX: {}", "a".repeat(1 << 16))).is_none());
    }

    #[test]
    fn names_of_this_computer() {
        let is_local = |host: &str| read(&format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n")).unwrap().is_for_this_computer();
        for host in ["localhost", "localhost:8117", "127.0.0.1:80", "127.0.0.2", "[::1]:8117"] {
            assert!(is_local(host), "{host}");
        }
        for host in ["example.org", "127.0.0.1.example.org:8117", "localhost.example.org", "10.0.0.1", ""] {
            assert!(!is_local(host), "{host}");
        }
    }
}
