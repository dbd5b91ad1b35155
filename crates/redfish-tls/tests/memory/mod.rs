//! Handshakes in memory.

use rustls::{ClientConnection, Connection, Error, ServerConnection};

/// Carries a handshake to its end, and returns the client.
///
/// # Errors
/// The client's own.
pub(crate) fn shake_hands(client: ClientConnection, server: ServerConnection) -> Result<Connection, Error> {
    let (mut client, mut server) = (Connection::from(client), Connection::from(server));
    while client.is_handshaking() || server.is_handshaking() {
        carry(&mut client, &mut server).expect("the client refused already, or speaks well");
        carry(&mut server, &mut client)?;
    }
    Ok(client)
}

fn carry(from: &mut Connection, to: &mut Connection) -> Result<(), Error> {
    let mut wire = Vec::new();
    while from.wants_write() {
        from.write_tls(&mut wire).unwrap();
    }
    let mut arrived = &wire[..];
    while !arrived.is_empty() {
        to.read_tls(&mut arrived).unwrap();
        to.process_new_packets()?;
    }
    Ok(())
}
