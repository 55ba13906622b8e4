"""A receiver of webhooks that speaks HTTP/2 and nothing else."""

import collections
import socket
import ssl
import threading

import h2.config
import h2.connection
import h2.events

from harness.receiver import Delivery, Deliveries


class HTTP2Receiver(Deliveries):
    """Listens on 127.0.0.1 until `end`, with TLS, and takes all that it is told. `streams` counts those of each connection."""

    def __init__(self, certificate):
        super().__init__()
        self.streams = collections.Counter()
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(*certificate)
        self._context.set_alpn_protocols(["h2"])
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.scheme = "https"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, address = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client, address), daemon=True).start()

    def _serve(self, client, address):
        with self._context.wrap_socket(client, server_side=True) as client:
            if client.selected_alpn_protocol() != "h2":
                return
            connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
            connection.initiate_connection()
            client.sendall(connection.data_to_send())
            requests = {}
            while data := client.recv(65_536):
                for event in connection.receive_data(data):
                    if isinstance(event, h2.events.RequestReceived):
                        self.streams[address] += 1
                        requests[event.stream_id] = dict(event.headers), bytearray()
                    elif isinstance(event, h2.events.DataReceived):
                        requests[event.stream_id][1].extend(event.data)
                        connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                    elif isinstance(event, h2.events.StreamEnded):
                        headers, body = requests.pop(event.stream_id)
                        self.deliveries.append(Delivery(headers[":path"], headers, bytes(body)))
                        connection.send_headers(event.stream_id, [(":status", "200")], end_stream=True)
                client.sendall(connection.data_to_send())

    def end(self):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
