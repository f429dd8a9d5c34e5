//! A client of STUN and TURN over UDP.

use pando_testing::DEADLINE;
use serde_json::Value;
use std::{collections::VecDeque, net::SocketAddr, time::Duration};
use stun_proto::types::{
    attribute::{ErrorCode, Nonce, Realm, Username, XorMappedAddress},
    message::{
        BINDING, IntegrityAlgorithm, IntegrityKey, LongTermCredentials, Message, MessageClass,
        MessageType, MessageWriteVec, Method, TransactionId,
    },
    prelude::{AttributeWrite, MessageWrite, MessageWriteExt},
};
use tokio::{net::UdpSocket, time::timeout};
use turn_server_proto::types::{
    attribute::{
        ChannelNumber, Data, Lifetime, RequestedTransport, XorPeerAddress, XorRelayedAddress,
    },
    message::{ALLOCATE, CHANNEL_BIND, CREATE_PERMISSION, REFRESH, SEND},
};

/// Time until a request is sent again.
const AGAIN: Duration = Duration::from_millis(500);

/// What a volunteer is told of TURN.
#[derive(Debug, Clone)]
pub(crate) struct TurnCredential {
    pub(crate) username: String,
    pub(crate) password: String,
}

/// The credential among `servers`, as browsers are told them.
pub(crate) fn credential(servers: &Value) -> TurnCredential {
    let turn = servers
        .as_array()
        .unwrap()
        .iter()
        .find(|server| server["username"].is_string())
        .expect("a TURN server");
    let field = |name: &str| turn[name].as_str().unwrap().to_owned();
    TurnCredential { username: field("username"), password: field("credential") }
}

/// The address that the STUN server at `port` sees.
pub(crate) async fn address(port: u16) -> SocketAddr {
    let mut client = TurnClient::new(port).await;
    let answer =
        client.ask(BINDING, |_| Vec::new()).await.expect("nothing has to be known for that");
    let message = Message::from_bytes(&answer).unwrap();
    message.attribute::<XorMappedAddress>().unwrap().addr(message.transaction_id())
}

/// Asks the TURN server at `port` for an allocation.
pub(crate) async fn allocate(port: u16, credential: &TurnCredential) -> Option<Allocation> {
    let mut client = TurnClient::new(port).await;
    client.credential = Some(credential.clone());
    let answer = client
        .ask(ALLOCATE, |_| vec![Box::new(RequestedTransport::new(RequestedTransport::UDP))])
        .await
        .ok()?;
    let message = Message::from_bytes(&answer).unwrap();
    let relayed = message.attribute::<XorRelayedAddress>().unwrap().addr(message.transaction_id());
    Some(Allocation { client, relayed, channels: Vec::new() })
}

/// A port at the relay.
#[derive(Debug)]
pub(crate) struct Allocation {
    client: TurnClient,
    /// Its address, as peers see it.
    pub(crate) relayed: SocketAddr,
    /// Whom the channels lead to, from 0x4000 on.
    channels: Vec<SocketAddr>,
}

impl Allocation {
    /// Asks that `peer` may be talked to; the error's number if it may not.
    pub(crate) async fn permit(&mut self, peer: SocketAddr) -> Result<(), u16> {
        self.client
            .ask(CREATE_PERMISSION, |id| vec![Box::new(XorPeerAddress::new(peer, id))])
            .await
            .map(drop)
    }

    /// Asks for a channel to `peer`.
    pub(crate) async fn bind(&mut self, peer: SocketAddr) -> Result<(), u16> {
        let number = 0x4000 + self.channels.len() as u16;
        let attributes = |id| -> Attributes {
            vec![Box::new(ChannelNumber::new(number)), Box::new(XorPeerAddress::new(peer, id))]
        };
        self.client.ask(CHANNEL_BIND, attributes).await?;
        self.channels.push(peer);
        Ok(())
    }

    /// Sends `bytes` to `peer`, on its channel if it has one. They may get lost.
    pub(crate) async fn send(&self, bytes: &[u8], peer: SocketAddr) {
        let packet = match self.channels.iter().position(|bound| *bound == peer) {
            Some(channel) => {
                let head = [0x4000 + channel as u16, bytes.len() as u16].map(u16::to_be_bytes);
                [head.as_flattened(), bytes].concat()
            }
            None => {
                let id = TransactionId::generate();
                let kind = MessageType::from_class_method(MessageClass::Indication, SEND);
                let mut message = Message::builder(kind, id, MessageWriteVec::new());
                message.add_attribute(&XorPeerAddress::new(peer, id)).unwrap();
                message.add_attribute(&Data::new(bytes)).unwrap();
                message.finish()
            }
        };
        self.client.socket.send(&packet).await.unwrap();
    }

    /// The next bytes of a peer.
    pub(crate) async fn receive(&mut self) -> (Vec<u8>, SocketAddr) {
        let packet = match self.client.come.pop_front() {
            Some(packet) => packet,
            None => timeout(DEADLINE, self.client.packet()).await.expect("it comes"),
        };
        if packet[0] & 0xc0 == 0x40 {
            let channel = usize::from(u16::from_be_bytes([packet[0], packet[1]]) - 0x4000);
            let length = usize::from(u16::from_be_bytes([packet[2], packet[3]]));
            return (packet[4..][..length].to_vec(), self.channels[channel]);
        }
        let message = Message::from_bytes(&packet).unwrap();
        let peer = message.attribute::<XorPeerAddress>().unwrap().addr(message.transaction_id());
        (message.attribute::<Data>().unwrap().data().to_vec(), peer)
    }

    /// Gives the port back.
    pub(crate) async fn close(mut self) {
        self.client.ask(REFRESH, |_| vec![Box::new(Lifetime::new(0))]).await.expect("it ends");
    }
}

type Attributes = Vec<Box<dyn AttributeWrite + Send>>;

#[derive(Debug)]
struct TurnClient {
    socket: UdpSocket,
    credential: Option<TurnCredential>,
    /// The realm and nonce of the server's last challenge.
    challenge: Option<(String, String)>,
    /// What came while an answer was waited for.
    come: VecDeque<Vec<u8>>,
}

impl TurnClient {
    async fn new(port: u16) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        socket.connect(("127.0.0.1", port)).await.unwrap();
        Self { socket, credential: None, challenge: None, come: VecDeque::new() }
    }

    /// The answer to a request; the error's number when the server refuses.
    async fn ask(
        &mut self,
        method: Method,
        attributes: impl Fn(TransactionId) -> Attributes,
    ) -> Result<Vec<u8>, u16> {
        loop {
            let id = TransactionId::generate();
            let kind = MessageType::from_class_method(MessageClass::Request, method);
            let mut request = Message::builder(kind, id, MessageWriteVec::new());
            for attribute in attributes(id) {
                request.add_attribute(&*attribute).unwrap();
            }
            let key = self.key();
            if let (Some(key), Some((realm, nonce)), Some(credential)) =
                (&key, &self.challenge, &self.credential)
            {
                request.add_attribute(&Username::new(&credential.username).unwrap()).unwrap();
                request.add_attribute(&Realm::new(realm).unwrap()).unwrap();
                request.add_attribute(&Nonce::new(nonce).unwrap()).unwrap();
                request.add_message_integrity_with_key(key, IntegrityAlgorithm::Sha1).unwrap();
            }
            let answer =
                timeout(DEADLINE, self.answer(&request.finish(), id)).await.expect("it answers");
            let message = Message::from_bytes(&answer).unwrap();
            let code = message.attribute::<ErrorCode>().map(|error| error.code());
            let challenge =
                message.attribute::<Realm>().ok().zip(message.attribute::<Nonce>().ok());
            match (code, challenge) {
                // Who was challenged before has the wrong credentials.
                (Ok(ErrorCode::UNAUTHORIZED), Some((realm, nonce)))
                    if self.challenge.is_none() && self.credential.is_some() =>
                {
                    self.challenge = Some((realm.realm().to_owned(), nonce.nonce().to_owned()));
                }
                (Ok(ErrorCode::STALE_NONCE), Some((realm, nonce))) => {
                    self.challenge = Some((realm.realm().to_owned(), nonce.nonce().to_owned()));
                }
                (code, _) => {
                    if let Some(key) = key.filter(|_| !matches!(code, Ok(ErrorCode::UNAUTHORIZED)))
                    {
                        message
                            .validate_integrity_with_key(&key)
                            .expect("the server knows the password");
                    }
                    return code.map_or(Ok(answer), Err);
                }
            }
        }
    }

    fn key(&self) -> Option<IntegrityKey> {
        let (realm, _) = self.challenge.as_ref()?;
        let TurnCredential { username, password } = self.credential.clone()?;
        Some(
            LongTermCredentials::new(username, password)
                .to_key(realm.clone())
                .make_key(IntegrityAlgorithm::Sha1),
        )
    }

    /// Sends a request again and again until its answer comes.
    async fn answer(&mut self, request: &[u8], id: TransactionId) -> Vec<u8> {
        loop {
            self.socket.send(request).await.unwrap();
            let answered = timeout(AGAIN, async {
                loop {
                    let packet = self.packet().await;
                    if Message::from_bytes(&packet).is_ok_and(|message| {
                        message.is_response() && message.transaction_id() == id
                    }) {
                        return packet;
                    }
                    self.come.push_back(packet);
                }
            });
            if let Ok(answer) = answered.await {
                return answer;
            }
        }
    }

    async fn packet(&self) -> Vec<u8> {
        let mut buffer = vec![0; 2048];
        let length = self.socket.recv(&mut buffer).await.unwrap();
        buffer.truncate(length);
        buffer
    }
}
