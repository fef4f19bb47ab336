//! A mail server for the tests: it speaks SMTP over TCP on a port of its own, keeps what it takes,
//! and does wrong what a test tells it to. Ends with the value that stands for it.

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// Longest wait for a mail that must come.
const ARRIVAL_TIME_MAX: Duration = Duration::from_secs(10);

/// How a server behaves towards all clients.
#[derive(Clone, Copy, Default)]
pub struct Manners {
    /// TLS from the first byte.
    pub tls: bool,
    /// Offers STARTTLS.
    pub starttls: bool,
    /// Takes mail only from who signs in as this user with this password.
    pub sign_in: Option<(&'static str, &'static str)>,
    /// Takes addresses beyond ASCII.
    pub international: bool,
}

/// Something the server does wrong, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Answers this command with this line instead.
    Reply(&'static str, &'static str),
    /// Closes the connection on this command.
    HangUp(&'static str),
    /// Never answers this command.
    Silence(&'static str),
    /// Answers this command when the test says so, or does what comes next instead.
    Hold(&'static str),
}

/// The place of a mail's content among the commands.
pub const CONTENT: &str = "content";

/// A mail that the server took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    pub sender: String,
    pub recipient: String,
    /// Headers and body as they came, dots unstuffed.
    pub bytes: Vec<u8>,
    pub encrypted: bool,
    /// Which connection it came by, from 1.
    pub connection: usize,
}

impl Received {
    /// Headers and body as text; they must be ASCII.
    pub fn text(&self) -> &str {
        assert!(self.bytes.is_ascii(), "not 7bit");
        std::str::from_utf8(&self.bytes).unwrap()
    }

    /// The value of a header, unfolded; the test fails if it is there twice.
    pub fn header(&self, name: &str) -> Option<String> {
        let head = self.text().split("\r\n\r\n").next().unwrap().replace("\r\n ", " ");
        let start = format!("{}:", name.to_lowercase());
        let mut values = head.lines().filter(|line| line.to_lowercase().starts_with(&start));
        let value = values.next().map(|line| line[start.len()..].trim().to_owned());
        assert!(values.next().is_none(), "{name} is there twice");
        value
    }
}

/// A free port that is kept for a server, and where nobody listens yet.
pub struct Port {
    pub number: u16,
    socket: TcpSocket,
}

impl Port {
    pub fn reserve() -> Port {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        Port { number: socket.local_addr().unwrap().port(), socket }
    }

    /// Starts a server there.
    pub fn serve(self, manners: Manners) -> SmtpServer {
        SmtpServer::on(self.socket.listen(64).unwrap(), manners)
    }
}

/// A running server.
pub struct SmtpServer {
    pub port: u16,
    shared: Arc<Shared>,
    received: mpsc::UnboundedReceiver<Received>,
    _serving: JoinSet<()>,
}

struct Shared {
    manners: Manners,
    faults: Mutex<VecDeque<Fault>>,
    connections: AtomicUsize,
    received: mpsc::UnboundedSender<Received>,
    paused: Semaphore,
    resumed: Semaphore,
    tls: TlsAcceptor,
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

impl SmtpServer {
    /// A well-behaved server.
    pub fn start() -> SmtpServer {
        SmtpServer::with(Manners::default())
    }

    /// A server with these manners.
    pub fn with(manners: Manners) -> SmtpServer {
        Port::reserve().serve(manners)
    }

    fn on(listener: TcpListener, manners: Manners) -> SmtpServer {
        let port = listener.local_addr().unwrap().port();
        let (sender, received) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            manners,
            faults: Mutex::default(),
            connections: AtomicUsize::new(0),
            received: sender,
            paused: Semaphore::new(0),
            resumed: Semaphore::new(0),
            tls: acceptor(),
        });
        let mut serving = JoinSet::new();
        let serves = shared.clone();
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let shared = serves.clone();
                connections.spawn(async move { Connection::serve(shared, stream).await });
            }
        });
        SmtpServer { port, shared, received, _serving: serving }
    }

    /// Adds what to do wrong; each fault once, in this order.
    pub fn fails(&self, faults: impl IntoIterator<Item = Fault>) {
        self.shared.faults.lock().unwrap().extend(faults);
    }

    /// The next mail.
    pub async fn next(&mut self) -> Received {
        let next = tokio::time::timeout(ARRIVAL_TIME_MAX, self.received.recv()).await;
        next.expect("no mail came").unwrap()
    }

    /// All that came by now and was not asked for yet.
    pub fn all(&mut self) -> Vec<Received> {
        std::iter::from_fn(|| self.received.try_recv().ok()).collect()
    }

    /// How many connections were made so far.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Resolves when a [`Fault::Silence`] or [`Fault::Hold`] has begun.
    pub async fn paused(&self) {
        let paused = tokio::time::timeout(ARRIVAL_TIME_MAX, self.shared.paused.acquire()).await;
        paused.expect("nobody came").unwrap().forget();
    }

    /// Goes on after one [`Fault::Hold`].
    pub fn resume(&self) {
        self.shared.resumed.add_permits(1);
    }
}

/// The file of the server's certificate, which clients are to trust.
pub fn certificate_file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/support/localhost.pem")
}

fn acceptor() -> TlsAcceptor {
    // Made for these tests: it opens nothing.
    let certificate = CertificateDer::from_pem_file(certificate_file()).unwrap();
    let key = PrivateKeyDer::from_pem_file(certificate_file()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key);
    TlsAcceptor::from(Arc::new(config.unwrap()))
}

struct Connection {
    shared: Arc<Shared>,
    stream: BufReader<Box<dyn Stream>>,
    number: usize,
    encrypted: bool,
    signed_in: bool,
    sender: Option<String>,
    recipient: Option<String>,
}

impl Connection {
    /// Speaks with one client until either has had enough.
    async fn serve(shared: Arc<Shared>, stream: TcpStream) -> Option<()> {
        let number = shared.connections.fetch_add(1, Ordering::SeqCst) + 1;
        let encrypted = shared.manners.tls;
        let stream: Box<dyn Stream> = if encrypted {
            Box::new(shared.tls.accept(stream).await.ok()?)
        } else {
            Box::new(stream)
        };
        let stream = BufReader::new(stream);
        let (sender, recipient) = (None, None);
        let mut connection =
            Connection { shared, stream, number, encrypted, signed_in: false, sender, recipient };
        connection.greet().await?;
        loop {
            let line = connection.line().await?;
            let verb = line.split([' ', ':']).next().unwrap_or_default().to_uppercase();
            match connection.fault(&verb).await {
                Some(Fault::Reply(_, reply)) => connection.say(reply).await?,
                Some(fault) => return connection.end(fault).await,
                None => connection.obey(&verb, &line).await?,
            }
        }
    }

    async fn greet(&mut self) -> Option<()> {
        match self.fault("greeting").await {
            Some(Fault::Reply(_, reply)) => self.say(reply).await,
            Some(fault) => self.end(fault).await,
            None => self.say("220 localhost a server for tests").await,
        }
    }

    async fn obey(&mut self, verb: &str, line: &str) -> Option<()> {
        let manners = self.shared.manners;
        let argument = line.split_once(['<', '>']).map(|(_, rest)| rest);
        let address = argument.and_then(|rest| rest.split('>').next()).map(str::to_owned);
        match verb {
            "EHLO" => {
                let mut offers = vec!["localhost", "8BITMIME"];
                offers.extend((manners.starttls && !self.encrypted).then_some("STARTTLS"));
                offers.extend(manners.sign_in.is_some().then_some("AUTH PLAIN"));
                offers.extend(manners.international.then_some("SMTPUTF8"));
                let (last, first) = offers.split_last().unwrap();
                for offer in first {
                    self.say(&format!("250-{offer}")).await?;
                }
                self.say(&format!("250 {last}")).await
            }
            "STARTTLS" if manners.starttls && !self.encrypted => {
                self.say("220 go ahead").await?;
                self.secure().await
            }
            "AUTH" => self.sign_in(line).await,
            "MAIL" if manners.sign_in.is_some() && !self.signed_in => self.say("530 who?").await,
            "MAIL" if self.sender.is_none() => {
                self.sender = address;
                self.say("250 ok").await
            }
            "RCPT" if self.sender.is_some() => {
                self.recipient = address;
                self.say("250 ok").await
            }
            "DATA" if self.recipient.is_some() => {
                self.say("354 end with a dot").await?;
                self.content().await
            }
            "RSET" => {
                (self.sender, self.recipient) = (None, None);
                self.say("250 ok").await
            }
            "NOOP" => self.say("250 ok").await,
            "QUIT" => {
                self.say("221 bye").await?;
                None
            }
            _ => self.say("503 not now").await,
        }
    }

    async fn secure(&mut self) -> Option<()> {
        let (end, _) = tokio::io::duplex(1);
        let plain = std::mem::replace(&mut self.stream, BufReader::new(Box::new(end)));
        let secured = self.shared.tls.accept(plain.into_inner()).await.ok()?;
        self.stream = BufReader::new(Box::new(secured));
        self.encrypted = true;
        Some(())
    }

    async fn sign_in(&mut self, line: &str) -> Option<()> {
        let (user, password) = self.shared.manners.sign_in?;
        let expected = STANDARD.encode(format!("\0{user}\0{password}"));
        self.signed_in = line == format!("AUTH PLAIN {expected}");
        self.say(if self.signed_in { "235 welcome" } else { "535 no" }).await
    }

    async fn content(&mut self) -> Option<()> {
        let mut bytes = Vec::new();
        loop {
            let mut line = Vec::new();
            self.stream.read_until(b'\n', &mut line).await.ok().filter(|count| *count > 0)?;
            assert!(line.ends_with(b"\r\n"), "a line does not end in CRLF");
            match line.as_slice() {
                b".\r\n" => break,
                [b'.', rest @ ..] => bytes.extend(rest),
                line => bytes.extend(line),
            }
        }
        match self.fault(CONTENT).await {
            Some(Fault::Reply(_, reply)) => return self.say(reply).await,
            Some(fault) => return self.end(fault).await,
            None => {}
        }
        let (sender, recipient) = (self.sender.take()?, self.recipient.take()?);
        let (encrypted, connection) = (self.encrypted, self.number);
        let received = Received { sender, recipient, bytes, encrypted, connection };
        self.shared.received.send(received).ok()?;
        self.say("250 taken").await
    }

    /// The next fault, if it is due at this command.
    async fn fault(&mut self, verb: &str) -> Option<Fault> {
        loop {
            let fault = self.take_fault(verb)?;
            if !matches!(fault, Fault::Hold(_)) {
                return Some(fault);
            }
            self.shared.paused.add_permits(1);
            self.shared.resumed.acquire().await.unwrap().forget();
        }
    }

    fn take_fault(&self, verb: &str) -> Option<Fault> {
        let mut faults = self.shared.faults.lock().unwrap();
        let due = faults.front().is_some_and(|fault| match fault {
            Fault::Reply(at, _) | Fault::HangUp(at) | Fault::Silence(at) | Fault::Hold(at) => {
                *at == verb
            }
        });
        if due { faults.pop_front() } else { None }
    }

    async fn end(&mut self, fault: Fault) -> Option<()> {
        if matches!(fault, Fault::Silence(_)) {
            self.shared.paused.add_permits(1);
            // Until the client leaves.
            while self.line().await.is_some() {}
        }
        None
    }

    async fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        self.stream.read_line(&mut line).await.ok().filter(|count| *count > 0)?;
        Some(line.trim_end().to_owned())
    }

    async fn say(&mut self, line: &str) -> Option<()> {
        self.stream.write_all(format!("{line}\r\n").as_bytes()).await.ok()?;
        self.stream.flush().await.ok()
    }
}
