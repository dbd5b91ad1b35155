//! Handshakes in memory.

use rustls::{ClientConnection, Connection, Error, ServerConnection};

/// Completes a handshake and returns the client.
///
/// # Errors
/// The client's error.
pub(crate) fn shake_hands(client: ClientConnection, server: ServerConnection) -> Result<Connection, Error> {
    let (mut client, mut server) = (Connection::from(client), Connection::from(server));
    while client.is_handshaking() || server.is_handshaking() {
        transfer(&mut client, &mut server).expect("the server accepts what the client sends");
        transfer(&mut server, &mut client)?;
    }
    Ok(client)
}

fn transfer(from: &mut Connection, to: &mut Connection) -> Result<(), Error> {
    let mut bytes = Vec::new();
    while from.wants_write() {
        from.write_tls(&mut bytes).unwrap();
    }
    let mut unread = &bytes[..];
    while !unread.is_empty() {
        to.read_tls(&mut unread).unwrap();
        to.process_new_packets()?;
    }
    Ok(())
}
