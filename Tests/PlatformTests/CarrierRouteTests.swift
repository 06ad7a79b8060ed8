import Base
import CallDispatch
import Operations
import Postgres
import Store
import Telephony
import Testing

@Test func anInboundCallIsStreamedToAWorkerAndItsReplayIsTheSameCall() async throws {
    try await CallSite.with { site in
        try await site.bench.renew()
        let first = try await site.carrier("/carriers/twilio/voice", site.inbound("CA100"))
        #expect(first.status == 200)
        #expect(first.text.contains(#"<Stream url="ws://worker.test:1/media">"#))
        #expect(first.text.contains("/carriers/twilio/continue?call=call_"))
        #expect(first.text.contains("<Redirect"))
        let again = try await site.carrier("/carriers/twilio/voice", site.inbound("CA100"))
        #expect(again.text == first.text)
        #expect(try await site.bench.number("SELECT count(*) FROM calls") == 1)
        let token = try #require(site.token(in: first.text))
        let plan = try await site.bench.link.attach(token, worker: site.bench.worker, carrierCallID: "CA100")
        #expect(plan.direction == .inbound && plan.carrier.accountSID == "AC1")
        #expect(plan.carrier.authToken.reveal == CallBench.carrierToken)
        #expect(try await site.bench.find(plan.call).state == .inProgress)
    }
}

@Test(arguments: ["", "bm90IGEgc2lnbmF0dXJl", "AAAAAAAAAAAAAAAAAAAAAAAAAAA="])
func whatTheCarrierDidNotSignIsRefusedAndChangesNothing(signature: String) async throws {
    try await CallSite.with { site in
        try await site.bench.renew()
        let call = try await site.bench.connected().id
        let form = site.inbound("CA200", status: "completed")
        for path in [
            "/carriers/twilio/voice", "/carriers/twilio/status?call=\(call)",
            "/carriers/twilio/continue?call=\(call)",
        ] {
            let reply = try await site.carrier(path, form, signature: signature)
            #expect(reply.status == 403 && reply.code == "bad_signature", "\(path)")
        }
        #expect(try await site.bench.number("SELECT count(*) FROM calls") == 1)
        #expect(try await site.bench.find(call).times.carrierEnded == nil)
    }
}

@Test func aSignatureOfOtherFieldsOrAnotherAddressIsWrong() async throws {
    try await CallSite.with { site in
        try await site.bench.renew()
        let good = site.inbound("CA300")
        let signed = try await site.carrier("/carriers/twilio/voice", good)
        #expect(signed.status == 200)
        var changed = good
        changed[0].1 = "CA301"
        let stolen = TwilioSignature(secrets: [CallBench.carrierToken]).sign(
            url: "https://parley.test/carriers/twilio/voice", form: good)
        #expect(try await site.carrier("/carriers/twilio/voice", changed, signature: stolen).status == 403)
        #expect(try await site.carrier("/carriers/twilio/status", good, signature: stolen).status == 403)
    }
}

@Test func anUnknownNumberAndAnUnknownCallLookLikeAWrongSignature() async throws {
    try await CallSite.with { site in
        var form = site.inbound("CA400")
        form[3].1 = "+442071838750"
        form[2].1 = "+442071838751"
        let number = try await site.carrier("/carriers/twilio/voice", form)
        let call = try await site.carrier(
            "/carriers/twilio/status?call=\(ID<Call>.new())", site.inbound("CA401"))
        #expect(number.status == 403 && call.status == 403)
        #expect(number.code == "bad_signature" && call.code == "bad_signature")
    }
}

@Test func aCallerHearsALineWhenNobodyCanAnswer() async throws {
    try await CallSite.with(dollars: 0) { site in
        let noWorker = try await site.carrier("/carriers/twilio/voice", site.inbound("CA500"))
        #expect(noWorker.text.contains("<Say>") && noWorker.text.contains("<Hangup/>"))
        try await site.bench.renew()
        let noFunds = try await site.carrier("/carriers/twilio/voice", site.inbound("CA501"))
        #expect(noFunds.text.contains("I have to end our call here"))
        try await site.bench.topUp(.dollars(1))
        // The same call of the carrier's stays refused; the next one is taken.
        #expect(try await site.carrier("/carriers/twilio/voice", site.inbound("CA501")).text == noFunds.text)
        #expect(
            try await site.carrier("/carriers/twilio/voice", site.inbound("CA502")).text.contains("<Stream"))
        let reasons = try await site.bench.superuser(
            "SELECT end_reason FROM calls WHERE state = 'ended' ORDER BY id"
        ).rows
        #expect(try reasons.map { try $0.text("end_reason") } == ["no_worker", "no_funds"])
        #expect(try await site.bench.moneyProblems() == [])
    }
}

@Test func beyondItsLimitATenantsCallersHearALine() async throws {
    try await CallSite.with(concurrency: 1) { site in
        try await site.bench.renew()
        #expect(
            try await site.carrier("/carriers/twilio/voice", site.inbound("CA600")).text.contains("<Stream"))
        #expect(
            try await site.carrier("/carriers/twilio/voice", site.inbound("CA601")).text.contains("<Say>"))
        #expect(try await site.bench.number("SELECT count(*) FROM calls WHERE end_reason = 'rejected'") == 1)
    }
}

@Test func anAnsweredOutboundCallIsStreamedToItsWorker() async throws {
    try await CallSite.with { site in
        try await site.bench.renew()
        let call = try await site.bench.admit().id
        _ = try await site.bench.link.claim(call, tenant: site.bench.tenant, worker: site.bench.worker)
        try await site.bench.tell(call, 1, .dialing)
        let path = "/carriers/twilio/voice?call=\(call)"
        let first = try await site.carrier(path, site.inbound("CA700", status: "in-progress"))
        let token = try #require(site.token(in: first.text))
        #expect(token.call == call && token.epoch == 1 && token.worker == site.bench.worker)
        #expect(try await site.carrier(path, site.inbound("CA700", status: "in-progress")).text == first.text)
        // Another call of the carrier's cannot take its place.
        #expect(
            try await site.carrier(path, site.inbound("CA701", status: "in-progress")).text.contains(
                "<Hangup/>"))
    }
}

@Test func aLostWorkersCallerGoesOnWithAnotherAndElseHearsGoodbye() async throws {
    try await CallSite.with { site in
        let call = try await site.bench.connected()
        let sid = call.carrierCallID ?? ""
        let second = ID<Worker>.new()
        try await site.bench.renew(second)
        let path = "/carriers/twilio/continue?call=\(call.id)"
        let moved = try await site.carrier(path, site.inbound(sid, status: "in-progress"))
        let token = try #require(site.token(in: moved.text))
        #expect(token.worker == second && token.epoch == 2)
        try await site.bench.kill()
        let goodbye = try await site.carrier(path, site.inbound(sid, status: "in-progress"))
        #expect(
            goodbye.text.contains("something went wrong on our side") && goodbye.text.contains("<Hangup/>"))
        #expect(try await site.bench.find(call.id).endReason == .workerLost)
        let over = try await site.carrier(path, site.inbound(sid, status: "in-progress"))
        #expect(over.text.contains("<Hangup/>") && !over.text.contains("<Say>"))
        #expect(try await site.bench.moneyProblems() == [])
    }
}

@Test(arguments: [
    ("busy", EndReason.busy), ("no-answer", .noAnswer), ("failed", .carrierFailed), ("canceled", .cancelled),
])
func theCarriersWordEndsACallThatNeverConnected(status: String, reason: EndReason) async throws {
    try await CallSite.with { site in
        try await site.bench.renew()
        let call = try await site.bench.admit().id
        _ = try await site.bench.link.claim(call, tenant: site.bench.tenant, worker: site.bench.worker)
        try await site.bench.tell(call, 1, .dialing)
        let path = "/carriers/twilio/status?call=\(call)"
        for word in ["ringing", status, "initiated", status, "completed"] {
            #expect(try await site.carrier(path, site.inbound("CA800", status: word)).status == 204)
        }
        let row = try await site.bench.find(call)
        #expect(row.endReason == reason && row.cost == .zero && row.carrierCallID == "CA800")
        #expect(try await site.bench.moneyProblems() == [])
    }
}

@Test func aCompletedCallWaitsForItsWorkersLastWord() async throws {
    try await CallSite.with { site in
        let call = try await site.bench.connected()
        let sid = call.carrierCallID ?? ""
        let path = "/carriers/twilio/status?call=\(call.id)"
        #expect(try await site.carrier(path, site.inbound(sid, status: "completed")).status == 204)
        #expect(try await site.bench.find(call.id).state == .inProgress)
        try await site.bench.tell(call.id, 3, .ended(.agentEnded, connectedMs: 7000, usage: []))
        let row = try await site.bench.find(call.id)
        #expect(row.endReason == .agentEnded && row.connectedMs == 7000)
    }
}
