//! A loopback port with one thread for each connection, all of it gone when dropped.

use std::collections::HashMap;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

/// The open connections, kept so that stopping can end the threads that wait on them.
type Connections = Arc<Mutex<HashMap<u64, TcpStream>>>;

pub struct Listener {
    address: SocketAddr,
    stopping: Arc<AtomicBool>,
    connections: Connections,
    acceptor: Option<JoinHandle<()>>,
}

impl Listener {
    /// Serves each connection with `handler`, on a thread of its own, and closes it afterwards.
    pub fn start(handler: impl Fn(TcpStream) + Send + Sync + 'static) -> Self {
        Self::start_on(0, handler)
    }

    /// The same on a port of one's choice; 0 is any free one.
    pub fn start_on(port: u16, handler: impl Fn(TcpStream) + Send + Sync + 'static) -> Self {
        let socket = TcpListener::bind(("127.0.0.1", port)).unwrap_or_else(|why| panic!("127.0.0.1:{port}: {why}"));
        let address = socket.local_addr().expect("the port just bound");
        let stopping = Arc::new(AtomicBool::new(false));
        let connections = Connections::default();
        let acceptor = {
            let (stopping, connections) = (Arc::clone(&stopping), Arc::clone(&connections));
            thread::spawn(move || accept_all(&socket, &stopping, &connections, &Arc::new(handler)))
        };
        Self {
            address,
            stopping,
            connections,
            acceptor: Some(acceptor),
        }
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        // The acceptor waits for a connection, so it gets one: it then sees the flag.
        drop(TcpStream::connect(self.address));
        if let Some(acceptor) = self.acceptor.take() {
            acceptor.join().ok();
        }
        for connection in self.connections.lock().unwrap().values() {
            connection.shutdown(Shutdown::Both).ok();
        }
    }
}

fn accept_all<H>(socket: &TcpListener, stopping: &AtomicBool, connections: &Connections, handler: &Arc<H>)
where
    H: Fn(TcpStream) + Send + Sync + 'static,
{
    for (number, stream) in (0..).zip(socket.incoming()) {
        if stopping.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else { continue };
        stream.set_nodelay(true).ok();
        let Ok(kept) = stream.try_clone() else {
            continue;
        };
        connections.lock().unwrap().insert(number, kept);
        let (connections, handler) = (Arc::clone(connections), Arc::clone(handler));
        thread::spawn(move || {
            // The clone kept above holds the socket open, so the client would see no end, not even
            // that of a handler that panicked.
            panic::catch_unwind(AssertUnwindSafe(|| handler(stream))).ok();
            if let Some(kept) = connections.lock().unwrap().remove(&number) {
                kept.shutdown(Shutdown::Both).ok();
            }
        });
    }
}
