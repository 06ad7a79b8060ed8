import Base
import CallDispatch
import ControlPlane
import Foundation
import Operations
import Store
import Testing

@Suite struct VaultTests {
    @Test func whatIsSealedOpensInItsPlaceOnly() async throws {
        try await TestPlatform.with { platform in
            let a = try #require(ID<Tenant>(try await platform.makeTenant("A").id))
            let b = try #require(ID<Tenant>(try await platform.makeTenant("B").id))
            let mine = try await platform.parts.vault.seal(for: a)
            let theirs = try await platform.parts.vault.seal(for: b)
            let sealed = try mine.seal([1, 2, 3], column: "t.c", row: "r")
            #expect(try mine.open(sealed, column: "t.c", row: "r") == [1, 2, 3])
            #expect(throws: Fault.self) { try mine.open(sealed, column: "t.c", row: "s") }
            #expect(throws: Fault.self) { try mine.open(sealed, column: "t.d", row: "r") }
            #expect(throws: Fault.self) { try theirs.open(sealed, column: "t.c", row: "r") }
            var bent = sealed
            bent[bent.count - 1] ^= 1
            #expect(throws: Fault.self) { try mine.open(bent, column: "t.c", row: "r") }
            #expect(throws: Fault.self) { try mine.open([], column: "t.c", row: "r") }
        }
    }

    @Test func theMasterKeyRotatesWithoutTouchingWhatItSeals() async throws {
        try await TestPlatform.with { platform in
            let acme = try await platform.makeTenant("Acme")
            let tenant = try #require(ID<Tenant>(acme.id))
            let credential = try #require(ID<Credential>(try await platform.makeCredential(key: acme.key)))
            let newKey = Data(repeating: 9, count: 32).base64EncodedString()
            let both = try MasterKeys(Redacted("\(newKey),\(TestPlatform.masterKey)"))
            let vault = Vault(database: platform.database, masterKeys: both)
            #expect(try await vault.rewrap() >= 1)
            #expect(try await vault.rewrap() == 0)
            // API keys made under the old key still work, and move to the new pepper.
            let keys = APIKeyStore(platform.database, masterKeys: both)
            #expect(try await keys.holder(of: Redacted(acme.key), acting: nil)?.tenant == tenant)

            let onlyNew = try MasterKeys(Redacted(newKey))
            let later = CredentialStore(
                platform.database, vault: Vault(database: platform.database, masterKeys: onlyNew))
            let revealed = try await later.reveal(tenant, id: credential)
            #expect(revealed?.secret.reveal == "secret-token-1234")
            let moved = APIKeyStore(platform.database, masterKeys: onlyNew)
            #expect(try await moved.holder(of: Redacted(acme.key), acting: nil)?.tenant == tenant)
        }
    }

    @Test(arguments: ["", "abc", "AAAA", String(repeating: "QUFB,", count: 9)])
    func aMasterKeyThatIsNotOneIsRefused(text: String) {
        #expect(throws: Refusal.self) { try MasterKeys(Redacted(text)) }
    }

    @Test func startingAgainChangesNothingAndANewOperatorKeyReplacesTheOld() async throws {
        try await TestPlatform.with { platform in
            let bootstrap = Bootstrap(
                database: platform.database, masterKeys: platform.parts.vault.masterKeys)
            let first = try await bootstrap(operatorKey: Redacted(TestPlatform.operatorKey), region: "eu")
            #expect(try await platform.get("/v1/tenants").json["data"]?.array?.count == 1)
            let next = "another-operator-key-0123456789"
            #expect(try await bootstrap(operatorKey: Redacted(next), region: "eu") == first)
            #expect(try await platform.get("/v1/tenants").status == 401)
            #expect(try await platform.get("/v1/tenants", key: next).status == 200)
            // And back: the old text is taken again.
            _ = try await bootstrap(operatorKey: Redacted(TestPlatform.operatorKey), region: "eu")
            #expect(try await platform.get("/v1/tenants").status == 200)
            await #expect(throws: Refusal.self) {
                try await bootstrap(operatorKey: Redacted("short"), region: "eu")
            }
            #expect(try await platform.get("/v1/price-books").json["data"]?.array?.count == 1)
        }
    }
}
