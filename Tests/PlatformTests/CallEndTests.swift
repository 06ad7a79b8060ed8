import Base
import CallDispatch
import HTTPClient
import HTTPTypes
import Operations
import Store
import Telephony
import TestKit
import Testing
import VendorSim

/// The phone rings and the one who would hang up is gone: the control plane does it itself.
@Test func aRingingCallIsHungUpAtTheCarrierAtOnce() async throws {
    var settings = SimulatedCarrier.Configuration()
    settings.account = .init(sid: "AC1", authToken: CallBench.carrierToken)
    let carrier = try await SimulatedCarrier.start(settings, logger: .quiet)
    carrier.assign(CallBench.ownNumber.description, voiceURL: "http://127.0.0.1:9/voice")
    var persona = Persona.silent
    persona.pickup = .noAnswer
    carrier.subscribe(CallBench.otherNumber.description, persona)
    try await CallSite.with { site in
        let bench = site.bench
        try await bench.superuser("UPDATE credentials SET base_url = '\(carrier.url)'")
        let call = try await bench.admit().id
        try await bench.renew()
        let plan = try #require(try await bench.link.claim(call, tenant: bench.tenant, worker: bench.worker))
        try await bench.tell(call, 1, .dialing)
        let http = HTTPClient(addresses: .anyAddress, logger: .quiet)
        let account = TwilioAccount(
            sid: plan.carrier.accountSID, authToken: plan.carrier.authToken, baseURL: carrier.url)
        let sid = try await TwilioREST(account: account, http: http).createCall(
            .init(
                to: plan.to, from: plan.from, url: "http://127.0.0.1:9/voice",
                statusURL: "http://127.0.0.1:9/status", ringSeconds: 300, limitSeconds: 600))
        await http.close()
        try await bench.tell(call, 2, .carrierAccepted(carrierCallID: sid))
        try await bench.kill()
        let asked = try await site.send(.post, "/v1/calls/\(call)/end")
        #expect(asked.status == 200 && asked.json["state"] == "ended")
        #expect(asked.json["end_reason"] == "requested")
        let rung = try #require(carrier.call(sid))
        #expect(await rung.ended().status == .canceled)
        #expect(try await site.send(.post, "/v1/calls/\(call)/end").json["end_reason"] == "requested")
        #expect(try await bench.moneyProblems() == [])
    }
    await carrier.stop()
}
