//! A long-distance link between two networks, in user space: everything that arrives on one side
//! leaves the other side later.
//!
//! The link is between a master at [`MASTER`] and volunteers that connect to [`FRONT`]. TCP passes
//! through [`PORT`]. For UDP the link answers the master as a STUN server, and gives a port of its
//! own as the master's address.

use std::{
    collections::{HashMap, hash_map::Entry},
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream, UdpSocket},
    sync::mpsc::{Receiver, Sender, channel},
    time::{Instant, sleep_until},
};

/// The address of the master.
pub const MASTER: &str = "10.1.0.2";
/// The address at which volunteers reach the master.
pub const FRONT: &str = "10.2.0.1";
/// The TCP port, on both sides.
pub const PORT: &str = "5000";
/// The STUN server that the master asks for its address.
pub const STUN: &str = "stun:10.1.0.1:7000";
const STUN_SOCKET: &str = "10.1.0.1:7000";
const UDP_FRONT: ([u8; 4], u16) = ([10, 2, 0, 1], 7001);

/// The most pieces that are on their way in one direction of one connection.
const UNDER_WAY: usize = 65_536;
/// The buffer of each UDP socket, in bytes, so that the link itself loses no packets. The system
/// may give less.
const BUFFER: usize = 4 << 20;

/// Passes everything on after the delay `late`, and never returns. Calls `ready` when the link
/// works.
///
/// # Errors
/// When an address cannot be used.
pub async fn run(late: Duration, ready: impl FnOnce()) -> std::io::Result<()> {
    let listener = TcpListener::bind(format!("{FRONT}:{PORT}")).await?;
    let stun = UdpSocket::bind(STUN_SOCKET).await?;
    let front = Arc::new(udp(UDP_FRONT.into()).await?);
    let master = Arc::new(Mutex::new(None));
    tokio::spawn(answer(stun, master.clone()));
    tokio::spawn(packets(front, master, late));
    ready();
    loop {
        let (near, _) = listener.accept().await?;
        tokio::spawn(async move {
            let Ok(far) = TcpStream::connect(format!("{MASTER}:{PORT}")).await else { return };
            let _ = (near.set_nodelay(true), far.set_nodelay(true));
            let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
            tokio::join!(bytes(near_in, far_out, late), bytes(far_in, near_out, late));
        });
    }
}

/// A UDP socket with large buffers.
async fn udp(address: SocketAddr) -> std::io::Result<UdpSocket> {
    let socket = UdpSocket::bind(address).await?;
    let buffers = socket2::SockRef::from(&socket);
    buffers.set_recv_buffer_size(BUFFER)?;
    buffers.set_send_buffer_size(BUFFER)?;
    Ok(socket)
}

/// Passes on one direction of a TCP connection.
async fn bytes(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, late: Duration) {
    let (under_way, mut arriving) = channel::<(Instant, Vec<u8>)>(UNDER_WAY);
    let reading = async move {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(length @ 1..) = from.read(&mut buffer).await {
            if under_way.send((Instant::now() + late, buffer[..length].to_vec())).await.is_err() {
                return;
            }
        }
    };
    let writing = async move {
        while let Some((due, piece)) = arriving.recv().await {
            sleep_until(due).await;
            if to.write_all(&piece).await.is_err() {
                return;
            }
        }
        let _ = to.shutdown().await;
    };
    tokio::join!(reading, writing);
}

/// Answers the master's STUN requests with the address [`UDP_FRONT`]; [`packets`] passes on the
/// packets that arrive there. Requests of browsers get no answer.
async fn answer(stun: UdpSocket, master: Arc<Mutex<Option<SocketAddr>>>) {
    let mut request = [0; 2048];
    while let Ok((_, from)) = stun.recv_from(&mut request).await {
        if from.ip().to_string() != MASTER {
            continue;
        }
        *master.lock().expect("no panic") = Some(from);
        let mut answer = vec![0x01, 0x01, 0, 12];
        answer.extend_from_slice(&request[4..20]);
        answer.extend_from_slice(&[0, 0x20, 0, 8, 0, 1]);
        answer.extend_from_slice(&(UDP_FRONT.1 ^ 0x2112).to_be_bytes());
        answer.extend(UDP_FRONT.0.iter().zip(&request[4..8]).map(|(byte, mask)| byte ^ mask));
        let _ = stun.send_to(&answer, from).await;
    }
}

/// Passes on both directions of the volunteers' UDP traffic, with one socket for each address of a
/// volunteer.
async fn packets(front: Arc<UdpSocket>, master: Arc<Mutex<Option<SocketAddr>>>, late: Duration) {
    let mut ways: HashMap<SocketAddr, Sender<(Instant, Vec<u8>)>> = HashMap::new();
    let mut packet = [0; 2048];
    while let Ok((length, from)) = front.recv_from(&mut packet).await {
        let Some(to) = *master.lock().expect("no panic") else { continue };
        let way = match ways.entry(from) {
            Entry::Occupied(way) => way.into_mut(),
            Entry::Vacant(place) => {
                let Ok(back) = udp(([10, 1, 0, 1], 0).into()).await else { continue };
                let back = Arc::new(back);
                let (there, arriving) = channel(UNDER_WAY);
                tokio::spawn(later(arriving, back.clone(), to));
                tokio::spawn(returning(back, front.clone(), from, late));
                place.insert(there)
            }
        };
        let _ = way.try_send((Instant::now() + late, packet[..length].to_vec()));
    }
}

async fn returning(
    back: Arc<UdpSocket>,
    front: Arc<UdpSocket>,
    volunteer: SocketAddr,
    late: Duration,
) {
    let (there, arriving) = channel(UNDER_WAY);
    tokio::spawn(later(arriving, front, volunteer));
    let mut packet = [0; 2048];
    while let Ok((length, _)) = back.recv_from(&mut packet).await {
        let _ = there.try_send((Instant::now() + late, packet[..length].to_vec()));
    }
}

async fn later(mut arriving: Receiver<(Instant, Vec<u8>)>, socket: Arc<UdpSocket>, to: SocketAddr) {
    while let Some((due, packet)) = arriving.recv().await {
        sleep_until(due).await;
        let _ = socket.send_to(&packet, to).await;
    }
}
