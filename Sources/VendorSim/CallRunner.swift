import Base
import HTTPClient
import Logging
import NIOCore

/// Leads one call through the carrier's states and its TwiML. One task per call.
struct CallRunner: Sendable {
    /// Documents one call may go through: a redirect loop ends.
    static let documentsMax = 100
    /// How long the carrier waits for a webhook.
    static let webhookLimit: Duration = .seconds(15)
    static let playBytesMax = 20 << 20

    /// What a call is about to do.
    enum Beginning: Sendable {
        case inbound(voiceURL: String)
        case outbound(first: CallOrder, pickup: Persona.Pickup, ringLimit: Duration)
    }

    let call: CarrierCall
    let beginning: Beginning
    let callback: (url: String, events: [String])?
    let timeLimit: Duration
    let tools: CarrierTools

    func run() async -> CallObservation {
        let callbacks = StatusCallbacks(events: callback?.events ?? [])
        async let sending: Void = callbacks.run { fields in
            guard let url = callback?.url else { return }
            _ = await post(url, extra: fields)
        }
        let ending: (status: CarrierStatus, by: String)
        do {
            ending = try await live(callbacks)
        } catch {
            ending = (.failed, "carrier stopped")
        }
        let observation = try? await on { call in
            call.end(ending.status, by: ending.by)
            return call.observation
        }
        callbacks.report(ending.status, durationMs: observation?.durationMs ?? 0)
        callbacks.finish()
        await sending
        // Taken again: the last callback belongs into it.
        return (try? await on { $0.observation }) ?? observation ?? call.seen
    }

    private func live(_ callbacks: StatusCallbacks) async throws -> (CarrierStatus, String) {
        switch beginning {
        case .inbound(let url):
            try await on { $0.become(.ringing) }
            return try await follow(.fetch(url: url))
        case .outbound(let first, let pickup, let ringLimit):
            for status in [CarrierStatus.initiated, .ringing] {
                try await on { $0.become(status) }
                callbacks.report(status)
            }
            if let ending = try await ring(pickup, limit: ringLimit) { return ending }
            try await answer()
            callbacks.report(.inProgress)
            return try await follow(first)
        }
    }

    /// nil when the callee picked up.
    private func ring(_ pickup: Persona.Pickup, limit: Duration) async throws -> (CarrierStatus, String)? {
        let (length, ending): (Duration, (CarrierStatus, String)?) =
            switch pickup {
            case .answers(let after) where after < limit: (after, nil)
            case .busy: (.zero, (.busy, "callee"))
            case .answers, .noAnswer: (limit, (.noAnswer, "ring limit"))
            }
        try await wait { $0.pause(.nanoseconds(length.nanoseconds)) }
        if case .hangUp(let by) = try await on({ $0.takeOrder() }) { return (.canceled, by) }
        return ending
    }

    private func answer() async throws {
        try await on { call in
            guard !call.hasAnswered else { return }
            call.become(.inProgress)
            call.loop.scheduleTask(in: .nanoseconds(timeLimit.nanoseconds)) {
                call.interrupt(.hangUp(by: "time limit"))
            }
        }
    }

    private func follow(_ first: CallOrder) async throws -> (CarrierStatus, String) {
        var order = first
        var base = ""
        for _ in 0..<Self.documentsMax {
            switch order {
            case .hangUp(let by): return (try await on { $0.hasAnswered } ? .completed : .canceled, by)
            case .end(let status, let by): return (status, by)
            case .document(let text): order = try await perform(text, base: base)
            case .fetch(let url):
                base = Self.resolve(url, against: base)
                let answer = await post(base, extra: [])
                if let newer = try await on({ $0.takeOrder() }) {
                    order = newer
                } else if let answer, (200..<300).contains(answer.status) {
                    order = .document(String(decoding: answer.body, as: UTF8.self))
                } else {
                    let status: CarrierStatus = try await on { $0.hasAnswered } ? .completed : .failed
                    return (status, "webhook failed: \(answer.map { String($0.status) } ?? "no answer")")
                }
            }
            if case .fetch(let url) = order { order = .fetch(url: Self.resolve(url, against: base)) }
        }
        return (.completed, "too many documents")
    }

    private func perform(_ document: String, base: String) async throws -> CallOrder {
        let verbs: [TwiML]
        do {
            verbs = try TwiML.parse(document)
        } catch {
            return .hangUp(by: "bad TwiML: \(error)")
        }
        for verb in verbs {
            if let order = try await perform(verb, base: base) { return order }
            if let order = try await on({ $0.takeOrder() }) { return order }
        }
        return .hangUp(by: "agent")
    }

    /// nil: go on with the next verb.
    private func perform(_ verb: TwiML, base: String) async throws -> CallOrder? {
        if case .reject(let isBusy) = verb { return .end(isBusy ? .busy : .noAnswer, by: "agent") }
        try await answer()
        switch verb {
        case .say(let text):
            // A voice that fails leaves a silent verb; the observation shows that nothing was heard.
            let audio = (try? await tools.voices.speak(text, voice: tools.sayVoice)) ?? []
            try await wait { $0.play(audio) }
        case .play(let url, let loop):
            let audio = await fetchAudio(Self.resolve(url, against: base))
            for _ in 0..<loop { try await wait { $0.play(audio) } }
        case .pause(let seconds): try await wait { $0.pause(.seconds(Int64(seconds))) }
        case .connect(let action, let stream):
            let signature = WebhookSignature.make(
                url: stream.url, parameters: [], token: tools.account.authToken)
            let streamSid = Sid.make("MZ")
            try await wait { $0.connect(stream, streamSid: streamSid, signature: signature) }
            if let order = try await on({ $0.takeOrder() }) { return order }
            return action.map { .fetch(url: $0) }
        case .redirect(let url): return .fetch(url: url)
        case .hangup: return .hangUp(by: "agent")
        case .reject: break
        }
        return nil
    }

    private func fetchAudio(_ url: String) async -> [UInt8] {
        var limits = HTTPLimits()
        limits.total = Self.webhookLimit
        limits.responseBytesMax = Self.playBytesMax
        let request = HTTPRequest(method: "GET", url: url, headers: [], body: [], limits: limits)
        guard let response = try? await tools.http.send(request), response.status == 200 else {
            await complain("Play: no audio")
            return []
        }
        do {
            return try WaveFile.telephoneAudio(response.body)
        } catch {
            await complain("Play: \(error)")
            return []
        }
    }

    private func complain(_ what: String) async { _ = try? await on { $0.malformed(what) } }

    /// A signed form POST as of now; nil when there was no answer at all.
    private func post(_ url: String, extra: [(String, String)]) async -> HTTPResponse? {
        guard let base = try? await on({ $0.webhookParameters }) else { return nil }
        let parameters = base.filter { field in !extra.contains { $0.0 == field.0 } } + extra
        var webhook = tools.sign(url: url, parameters: parameters)
        let response = await tools.send(webhook, limit: Self.webhookLimit)
        webhook.status = response?.status
        let sent = webhook
        _ = try? await on { $0.record(sent) }
        return response
    }

    /// Runs `work` on the call's loop.
    @discardableResult
    private func on<T: Sendable>(_ work: @escaping @Sendable (CarrierCall) -> T) async throws -> T {
        let call = call
        return try await call.loop.submit { work(call) }.get()
    }

    private func wait(_ work: @escaping @Sendable (CarrierCall) -> EventLoopFuture<Void>) async throws {
        let call = call
        try await call.loop.flatSubmit { work(call) }.get()
    }

    /// Relative URLs in TwiML count from the document's own.
    static func resolve(_ url: String, against base: String) -> String {
        guard !url.contains("://"), let scheme = base.firstRange(of: "://") else { return url }
        let afterScheme = base[scheme.upperBound...]
        let origin = base[..<(afterScheme.firstIndex(of: "/") ?? base.endIndex)]
        if url.hasPrefix("/") { return origin + url }
        let path = base.prefix { $0 != "?" }
        guard let slash = path.lastIndex(of: "/"), slash >= origin.endIndex else { return origin + "/" + url }
        return path[...slash] + url
    }
}

extension CarrierCall {
    /// The fields of every request about this call.
    var webhookParameters: [(String, String)] {
        [
            ("CallSid", sid), ("AccountSid", accountSid), ("ApiVersion", "2010-04-01"),
            ("From", seen.from), ("To", seen.to), ("Caller", seen.from), ("Called", seen.to),
            ("CallStatus", seen.status.rawValue), ("Direction", seen.isInbound ? "inbound" : "outbound-api"),
        ]
    }
}

/// What every call of a carrier shares.
struct CarrierTools: Sendable {
    let account: CarrierAccount
    let sayVoice: String
    let http: HTTPClient
    let voices: PersonaVoices

    func sign(url: String, parameters: [(String, String)]) -> SentWebhook {
        SentWebhook(
            url: url, parameters: parameters,
            signature: WebhookSignature.make(url: url, parameters: parameters, token: account.authToken))
    }

    /// nil when there was no answer.
    func send(_ webhook: SentWebhook, limit: Duration) async -> HTTPResponse? {
        var limits = HTTPLimits()
        limits.total = limit
        var headers = [("Content-Type", "application/x-www-form-urlencoded")]
        if !webhook.signature.isEmpty { headers.append((WebhookSignature.header, webhook.signature)) }
        let request = HTTPRequest(
            method: "POST", url: webhook.url, headers: headers, body: FormBody(webhook.parameters).encoded,
            limits: limits)
        // The carrier does not care why an application did not answer.
        return try? await http.send(request)
    }
}

package struct CarrierAccount: Hashable, Sendable {
    package var sid: String
    package var authToken: String
    package init(sid: String, authToken: String) {
        self.sid = sid
        self.authToken = authToken
    }
    package static let test = CarrierAccount(
        sid: "AC00000000000000000000000000005170", authToken: "simulated_carrier_token")
}

enum Sid {
    /// Two letters and 32 hex digits.
    static func make(_ prefix: String) -> String {
        var random = SystemRandomNumberGenerator()
        let digits = [random.next(), random.next() as UInt64].map { word in
            let text = String(word, radix: 16)
            return String(repeating: "0", count: 16 - text.count) + text
        }
        return prefix + digits.joined()
    }
}
