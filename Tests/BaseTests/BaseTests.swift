import Base
import Testing

@Test func idsReadBackAndRefuseOtherPrefixes() throws {
    var random = SeededGenerator(seed: 1)
    let id = ID<Call>.make(at: Timestamp(milliseconds: 1_790_000_000_123), using: &random)
    #expect(ID<Call>(id.description) == id)
    #expect(ID<Call>(uuid: id.uuidString) == id)
    #expect(id.timestamp.milliseconds == 1_790_000_000_123)
    #expect(ID<Agent>(id.description) == nil)
    #expect(ID<Call>("call_xyz") == nil)
    #expect(Array(id.uuidString)[14] == "7")
}

@Test(arguments: [
    ("0.00", 0), ("1.50", 1_500_000_000), ("-0.0042", -4_200_000), ("0.000000001", 1),
    ("999999999.00", 999_999_999_000_000_000),
])
func moneyPrintsAndReadsExactly(text: String, nanos: Int64) {
    #expect(Money(nanos: nanos).description == text)
    #expect(Money(decimal: text)?.nanos == nanos)
}

@Test(arguments: ["", "1e3", "1.", ".5", "0.0000000001", "1000000000.00", "٣.00", "+1"])
func moneyRefusesWhatItCannotHold(text: String) {
    #expect(Money(decimal: text) == nil)
}

@Test(arguments: ["+14155550100", "+442071838750"])
func numbersInInternationalFormAreTaken(text: String) {
    #expect(E164(text)?.description == text)
}

@Test(arguments: [
    "", "911", "+911", "4155550100", "+1 (415) 555-0100", "+٤٤٢٠٧١٨٣٨٧٥٠", "+0123456789", "+1234567890123456",
    "tel:+14155550100",
])
func otherNumbersAreRefused(text: String) {
    #expect(E164(text) == nil)
}

@Test(arguments: [
    ("1970-01-01T00:00:00.000Z", 0), ("2026-11-22T16:00:00.250Z", 1_795_363_200_250),
    ("2000-02-29T23:59:59.999Z", 951_868_799_999),
])
func timestampsPrintAndRead(text: String, milliseconds: Int64) {
    #expect(Timestamp(milliseconds: milliseconds).rfc3339 == text)
    #expect(Timestamp(rfc3339: text)?.milliseconds == milliseconds)
}

@Test func timestampsReadOffsetsAndDays() {
    #expect(Timestamp(rfc3339: "2026-11-22T18:00:00+02:00")?.rfc3339 == "2026-11-22T16:00:00.000Z")
    #expect(Timestamp(rfc3339: "2026-11-22")?.rfc3339 == "2026-11-22T00:00:00.000Z")
    #expect(Timestamp(rfc3339: "2026-02-29") == nil)
    #expect(Timestamp(rfc3339: "2026-11-22T25:00:00Z") == nil)
}

@Test func redactedValuesDoNotPrint() {
    let secret = Redacted("my card number")
    #expect("\(secret)" == "[redacted]")
    #expect(!String(reflecting: secret).contains("card"))
}
