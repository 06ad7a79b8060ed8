package import HTTPClient

/// Strangers at the platform's doors: each function does one wrong thing and returns what came of it.
package enum HostileStream {
    /// What became of a wrong media stream.
    package enum Outcome: Hashable, Sendable {
        /// The upgrade was answered with this status.
        case refused(Int?)
        /// The socket was opened and ended by the platform, with this close code.
        case closed(code: Int?)
    }

    /// Opens a stream with `parameters` as the carrier would and waits for the platform's verdict.
    ///
    /// With the parameters of a stream already used this is the second use of a token; with wrong ones a
    /// forged.
    package static func present(
        _ parameters: [String: String], to url: String, callSid: String = Sid.make("CA"), token: String? = nil
    ) async throws -> Outcome {
        try await with(url, token: token) { socket in
            let identity = stream(callSid)
            try await socket.send(text: MediaWire.connected())
            try await socket.send(text: MediaWire.start(identity, parameters: parameters))
        }
    }

    /// `media` before `start`.
    package static func mediaBeforeStart(to url: String, token: String? = nil) async throws -> Outcome {
        try await with(url, token: token) { socket in
            try await socket.send(text: MediaWire.connected())
            try await socket.send(
                text: media(stream(Sid.make("CA")).streamSid, payload: Base64.encode(Mouth.silence)))
        }
    }

    /// A good start (`parameters` must be good), then these messages.
    package static func send(
        _ messages: [Garbage], after parameters: [String: String], to url: String, callSid: String,
        token: String? = nil
    ) async throws -> Outcome {
        try await with(url, token: token) { socket in
            let identity = stream(callSid)
            try await socket.send(text: MediaWire.connected())
            try await socket.send(text: MediaWire.start(identity, parameters: parameters))
            for message in messages { try await message.send(to: socket, identity) }
        }
    }

    /// Opens a stream and reads nothing more: the platform's writes pile up. The caller closes the socket.
    package static func stall(
        _ parameters: [String: String], at url: String, callSid: String, token: String? = nil
    ) async throws -> RawSocket {
        let socket = try await RawSocket.open(url, headers: headers(url, token))
        try await socket.send(text: MediaWire.connected())
        try await socket.send(text: MediaWire.start(stream(callSid), parameters: parameters))
        try await socket.stopReading()
        return socket
    }

    package enum Garbage: Hashable, Sendable {
        case notJSON, brokenBase64, emptyObject, binary, unmasked, unknownEvent, deepJSON
        /// A text message of this many bytes.
        case oversized(Int)
        /// A header that promises 2⁶³-1 bytes.
        case endless

        func send(to socket: RawSocket, _ identity: StreamIdentity) async throws {
            switch self {
            case .notJSON: try await socket.send(text: "{\"event\":\"media\",")
            case .brokenBase64:
                try await socket.send(
                    text: HostileStream.media(identity.streamSid, payload: Array("!!!not base64!!!".utf8)))
            case .emptyObject: try await socket.send(text: "{}")
            case .binary: try await socket.send(binary: [0, 1, 2, 3])
            case .unmasked: try await socket.send(opcode: 1, Array("{}".utf8), isMasked: false)
            case .unknownEvent:
                try await socket.send(text: #"{"event":"surprise","streamSid":"\#(identity.streamSid)"}"#)
            case .deepJSON: try await socket.send(text: String(repeating: "[", count: 100_000))
            case .oversized(let bytes):
                try await socket.send(opcode: 1, [UInt8](repeating: 0x20, count: bytes))
            case .endless: try await socket.send(opcode: 1, [0x7B], lengthClaimed: UInt64(Int64.max))
            }
        }
    }

    // MARK: webhooks

    package enum Signing: Hashable, Sendable {
        case right(token: String)
        case none
        case garbage
        /// Signed well, but for another URL.
        case forURL(String, token: String)
    }

    /// Sends a form to a webhook; returns the HTTP status, nil when there was no answer.
    package static func webhook(
        _ url: String, parameters: [(String, String)], signing: Signing, http: HTTPClient
    ) async -> Int? {
        var headers = [("Content-Type", "application/x-www-form-urlencoded")]
        switch signing {
        case .right(let token):
            let signature = WebhookSignature.make(url: url, parameters: parameters, token: token)
            headers.append((WebhookSignature.header, signature))
        case .none: break
        case .garbage: headers.append((WebhookSignature.header, "bm90IGEgc2lnbmF0dXJl"))
        case .forURL(let other, let token):
            let signature = WebhookSignature.make(url: other, parameters: parameters, token: token)
            headers.append((WebhookSignature.header, signature))
        }
        let request = HTTPRequest(
            method: "POST", url: url, headers: headers, body: FormBody(parameters).encoded,
            limits: HTTPLimits())
        // No answer is an answer here.
        return try? await http.send(request).status
    }

    // MARK: parts

    private static func with(
        _ url: String, token: String?, _ work: (RawSocket) async throws -> Void
    ) async throws -> Outcome {
        let socket: RawSocket
        do {
            socket = try await RawSocket.open(url, headers: headers(url, token))
        } catch let refusal as RawSocket.NotOpened {
            return .refused(refusal.status)
        }
        // The platform may hang up in the middle of it: the close code tells.
        try? await work(socket)
        let code = try await socket.closedByOtherSide()
        socket.close()
        return .closed(code: code)
    }

    private static func headers(_ url: String, _ token: String?) -> [(String, String)] {
        token.map { [(WebhookSignature.header, WebhookSignature.make(url: url, parameters: [], token: $0))] }
            ?? []
    }

    private static func stream(_ callSid: String) -> StreamIdentity {
        StreamIdentity(accountSid: CarrierAccount.test.sid, callSid: callSid, streamSid: Sid.make("MZ"))
    }

    fileprivate static func media(_ streamSid: String, payload: [UInt8]) -> String {
        #"{"event":"media","sequenceNumber":"2","streamSid":"\#(streamSid)","media":{"track":"inbound","chunk":"1","#
            + #""timestamp":"0","payload":"\#(String(decoding: payload, as: UTF8.self))"}}"#
    }
}
