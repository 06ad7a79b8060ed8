import Base
import CallDispatch
import Hummingbird
import Logging
import Operations
import Store
import Telephony

/// `/carriers/twilio/…`: what the carrier asks and tells. Every request carries the carrier's signature,
/// made with the auth token of the number's or the call's own account over the URL below
/// `PARLEY_PUBLIC_URL`.
///
/// An unsigned request learns nothing: not whether a number or a call is ours.
struct CarrierRoutes: Routes {
    static let bodyBytesMax = 64 * 1024
    static let tokenParameter = "token"

    private let calls: CallParts
    private let signed: SignedForm

    init(_ calls: CallParts) {
        self.calls = calls
        signed = SignedForm(calls)
    }

    func add(to router: RouterGroup<ControlRequest>) {
        router.post("/carriers/twilio/voice", use: voice)
        router.post("/carriers/twilio/status", use: status)
        router.post("/carriers/twilio/continue", use: proceed)
    }

    /// A call comes in, or an outbound call (`?call=`) was answered.
    private func voice(_ request: Request, _ context: ControlRequest) async throws -> Response {
        let form = try await signed.form(request, context)
        if let call = form.call {
            return Self.answer(
                try await ContinueCall(calls).answered(call, carrierCallID: form.carrierCallID), calls)
        }
        guard let number = form.number else { throw SignedForm.refused }
        let inbound = AdmitInbound.Request(
            carrierCallID: form.carrierCallID, from: Redacted(form["From"] ?? "anonymous"),
            to: Redacted(form["To"] ?? ""))
        return Self.answer(try await AdmitInbound(calls)(number, inbound), calls)
    }

    /// Call progress. Anything we know is answered with 204; repeats and old news change nothing.
    private func status(_ request: Request, _ context: ControlRequest) async throws -> Response {
        let form = try await signed.form(request, context)
        guard let call = try await known(form) else { return Answer.noContent() }
        try await RecordCarrierStatus(calls)(
            call.tenant, call.id, status: form["CallStatus"] ?? "", carrierCallID: form.carrierCallID)
        return Answer.noContent()
    }

    /// The stream has ended and the carrier still holds the caller: where now?
    private func proceed(_ request: Request, _ context: ControlRequest) async throws -> Response {
        let form = try await signed.form(request, context)
        guard let call = try await known(form) else { return Self.answer(.hangUp, calls) }
        guard call.carrierCallID == nil || call.carrierCallID == form.carrierCallID else {
            return Self.answer(.hangUp, calls)
        }
        return Self.answer(try await ContinueCall(calls)(call, carrierStatus: form["CallStatus"]), calls)
    }

    /// By our id in the URL, else by the carrier's.
    private func known(_ form: SignedForm.Read) async throws -> CallRow? {
        if let call = form.call { return call }
        guard let number = form.number else { return nil }
        return try await CallStore(calls.database).find(number.tenant, carrierCallID: form.carrierCallID)
    }

    static func answer(_ answer: CarrierAnswer, _ calls: CallParts) -> Response {
        let verbs: [TwiML.Verb] =
            switch answer {
            case .connect(let token, let mediaURL):
                [
                    .connect(
                        action: calls.urls.proceed(token.call), stream: mediaURL + "/media",
                        parameters: [tokenParameter: token.sealed(with: calls.workerKey)]),
                    // Second net: where the action is not asked for, the next verb runs.
                    .redirect(url: calls.urls.proceed(token.call)),
                ]
            case .refuse(let line): [.say(line), .hangUp]
            case .hangUp: [.hangUp]
            }
        return Answer.text(TwiML(verbs).text, type: "text/xml; charset=utf-8")
    }
}
