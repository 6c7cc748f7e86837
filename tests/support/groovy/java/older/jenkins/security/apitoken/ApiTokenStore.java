package jenkins.security.apitoken;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import java.util.stream.Collectors;

/** The store of one user's tokens, as far as tokens.groovy calls it: that of a controller whose tokens last for ever. */
public class ApiTokenStore {
    private final List<HashedToken> tokens = new ArrayList<>();

    /** A token as it is kept: nobody can read its value any more. */
    public static class HashedToken {
        private final String uuid;
        private final String name;
        private final String hash;

        private HashedToken(String uuid, String name, String hash) {
            this.uuid = uuid;
            this.name = name;
            this.hash = hash;
        }

        public String getUuid() {
            return uuid;
        }

        public String getName() {
            return name;
        }

        public String written() {
            return uuid + " " + name + " " + hash;
        }
    }

    public void read(String line) {
        String[] words = line.split(" ");
        tokens.add(new HashedToken(words[0], words[1], words[2]));
    }

    public synchronized Collection<HashedToken> getTokenListSortedByName() {
        return tokens.stream().sorted(Comparator.comparing(HashedToken::getName)).collect(Collectors.toList());
    }

    public synchronized String addFixedNewToken(String name, String value) {
        if (value.length() != 34) {
            throw new IllegalArgumentException("2 characters for the version and 32 hex-characters for the secret");
        }
        if (!value.startsWith("11")) {
            throw new IllegalArgumentException("The given version is not recognized");
        }
        if (!value.substring(2).toLowerCase().matches("[a-f0-9]{32}")) {
            throw new IllegalArgumentException("The secret part of the token must consist of 32 hex-characters");
        }
        HashedToken token = new HashedToken(UUID.randomUUID().toString(), name, hash(value.substring(2)));
        tokens.add(token);
        return token.getUuid();
    }

    public synchronized HashedToken findMatchingToken(String token) {
        String wanted = hash(token.length() == 34 ? token.substring(2) : token);
        return tokens.stream().filter(one -> one.hash.equals(wanted)).findFirst().orElse(null);
    }

    public synchronized HashedToken revokeToken(String uuid) {
        HashedToken found = tokens.stream().filter(one -> one.uuid.equals(uuid)).findFirst().orElse(null);
        tokens.remove(found);
        return found;
    }

    private static String hash(String text) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.US_ASCII));
            StringBuilder hex = new StringBuilder();
            for (byte one : digest) {
                hex.append(String.format("%02x", one));
            }
            return hex.toString();
        } catch (NoSuchAlgorithmException error) {
            throw new AssertionError(error);
        }
    }
}
