import Base
import Billing
import Testing

@Test(arguments: [
    ("+14155550100", nil), ("+442071838750", nil), ("+4930123456", nil), ("+441189500100", nil),
    ("+19005550100", "premium"), ("+19765550100", "premium"), ("+449012345678", "premium"),
    ("+447012345678", "sharedCost"),
    ("+97912345678", "premium"), ("+881612345678", "satellite"), ("+882123456789", "satellite"),
    ("+883123456789", "satellite"),
    ("+12425550100", "fraudProne"), ("+18765550100", "fraudProne"), ("+37212345678", "fraudProne"),
    ("+19115550100", "emergency"), ("+1911555", "emergency"), ("+4499999", "emergency"),
    ("+49112112", "emergency"),
])
func dearAndDangerousNumbersAreRefused(number: String, ground: String?) throws {
    #expect(Destinations().refusal(of: try #require(E164(number)))?.rawValue == ground)
}

@Test func aTenantOpensExactlyWhatItNames() throws {
    let bahamas = try #require(E164("+12425550100"))
    let premium = try #require(E164("+19005550100"))
    let emergency = try #require(E164("+19115550100"))
    let home = try #require(E164("+14155550100"))
    let abroad = try #require(E164("+4930123456"))
    let open = Destinations(allowed: ["+1", "+1242"])
    #expect(open.refusal(of: bahamas) == nil)
    #expect(open.refusal(of: premium) == .premium)
    #expect(open.refusal(of: home) == nil)
    #expect(open.refusal(of: abroad) == .notAllowed)
    #expect(Destinations(allowed: ["+1911"]).refusal(of: emergency) == .emergency)
    #expect(Destinations(denied: ["+1415"]).refusal(of: home) == .denied)
    #expect(Destinations(allowed: ["+1"], denied: ["+1415"]).refusal(of: home) == .denied)
    #expect(Destinations(allowed: ["+1415"], denied: ["+1"]).refusal(of: home) == nil)
}
