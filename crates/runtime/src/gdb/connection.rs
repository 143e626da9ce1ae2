//! The way to gdb: a listening socket, and a connection whose input another thread reads.

use super::Event;
use gdbstub::conn::Connection;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::sync::mpsc::Sender;

/// Where gdb may come.
pub enum Socket {
    /// At any address of this host, as with QEMU.
    Tcp(TcpListener),
    /// At a path, which is removed when gdb has come.
    Unix(UnixListener, PathBuf),
}

/// Both directions of a connection.
type Streams = (Box<dyn Read + Send>, Box<dyn Write + Send>);

impl Socket {
    /// Listens at a port, or at a path, in which `%d` stands for the process ID.
    ///
    /// # Errors
    /// A number that is no port; those of the system.
    pub fn listen(place: &OsStr) -> io::Result<Socket> {
        let text = place.to_string_lossy();
        if text.bytes().all(|b| b.is_ascii_digit()) {
            let port = text.parse::<u16>().ok().filter(|&port| port != 0);
            let port = port.ok_or_else(|| io::Error::other("not a port (1 to 65535)"))?;
            return Ok(Socket::Tcp(TcpListener::bind((Ipv4Addr::UNSPECIFIED, port))?));
        }
        let pid = std::process::id().to_string();
        let path = match text.split_once("%d") {
            // Only where it is text; any bytes otherwise.
            Some((before, after)) => [before, &pid, after].concat().into(),
            None => PathBuf::from(OsStr::from_bytes(place.as_bytes())),
        };
        Ok(Socket::Unix(UnixListener::bind(&path)?, path))
    }

    /// Its descriptor.
    pub fn fd(&self) -> RawFd {
        match self {
            Socket::Tcp(listener) => listener.as_raw_fd(),
            Socket::Unix(listener, _) => listener.as_raw_fd(),
        }
    }

    /// Waits for gdb; nobody else can come afterwards.
    ///
    /// # Errors
    /// Those of the system.
    pub fn accept(self) -> io::Result<Streams> {
        match self {
            Socket::Tcp(listener) => {
                let (stream, _) = listener.accept()?;
                stream.set_nodelay(true)?;
                Ok((Box::new(stream.try_clone()?), Box::new(stream)))
            }
            Socket::Unix(listener, path) => {
                let (stream, _) = listener.accept()?;
                let _ = fs::remove_file(path);
                Ok((Box::new(stream.try_clone()?), Box::new(stream)))
            }
        }
    }
}

/// Reads until gdb is gone.
pub fn read(mut stream: impl Read, events: &Sender<Event>) {
    let mut buffer = [0; 4096];
    loop {
        let event = match stream.read(&mut buffer) {
            Ok(n @ 1..) => Event::Input(buffer[..n].to_vec()),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            _ => Event::Closed,
        };
        let closed = matches!(event, Event::Closed);
        if events.send(event).is_err() || closed {
            return;
        }
    }
}

/// The way out, a packet at a time.
pub struct Output {
    stream: Box<dyn Write + Send>,
    packet: Vec<u8>,
}

impl Output {
    /// To `stream`.
    pub fn new(stream: Box<dyn Write + Send>) -> Output {
        Output { stream, packet: Vec::new() }
    }
}

impl Connection for Output {
    type Error = io::Error;

    fn write(&mut self, byte: u8) -> io::Result<()> {
        self.packet.push(byte);
        Ok(())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.packet.extend(bytes);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        let sent = self.stream.write_all(&self.packet).and_then(|()| self.stream.flush());
        self.packet.clear();
        sent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unusable_places_are_refused() {
        for place in ["0", "65536", "99999999999", "/no/such/directory/socket"] {
            assert!(Socket::listen(OsStr::new(place)).is_err(), "{place}");
        }
        let taken = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
        let port = taken.local_addr().unwrap().port().to_string();
        assert!(Socket::listen(OsStr::new(&port)).is_err());
    }
}
