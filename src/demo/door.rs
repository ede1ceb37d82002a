//! How the demo's own servers of files let callers in: on the loopback only, few at a time, all out when it closes.

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, TcpListener};

use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::task::{JoinHandle, JoinSet};

/// Callers at a time; more wait.
const CALLERS: usize = 8;

/// An open door; dropping it ends every conversation behind it.
#[derive(Debug)]
pub struct Door {
    port: u16,
    task: JoinHandle<()>,
}

impl Door {
    /// Opens one on a free port of the loopback; `serve` talks with each caller.
    ///
    /// # Errors
    /// When no port can be had.
    pub fn open<F>(
        runtime: &Handle,
        serve: impl Fn(TcpStream) -> F + Send + 'static,
    ) -> io::Result<Self>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        let _inside = runtime.enter();
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let task = runtime.spawn(async move {
            // It goes with this task, and everybody in it.
            let mut callers = JoinSet::new();
            loop {
                while callers.try_join_next().is_some() {}
                if callers.len() >= CALLERS {
                    callers.join_next().await;
                }
                match listener.accept().await {
                    Ok((stream, _)) => {
                        callers.spawn(serve(stream));
                    }
                    Err(error) => tracing::warn!(%error, "a caller of the demo was lost"),
                }
            }
        });
        Ok(Self { port, task })
    }

    /// Its port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.task.abort();
    }
}
