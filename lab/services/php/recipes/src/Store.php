<?php

final class Store
{
    private static $pdo;

    public static function run($sql, $args = [])
    {
        if (!self::$pdo) {
            self::$pdo = new PDO('mysql:host=' . getenv('MYSQL_HOST') . ';dbname=' . getenv('MYSQL_DATABASE'), getenv('MYSQL_USER'), getenv('MYSQL_PASSWORD'), [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION, PDO::ATTR_TIMEOUT => 3]);
        }
        $statement = self::$pdo->prepare($sql);
        $statement->execute($args);
        return $statement;
    }

    public static function all($sql, $args)
    {
        return self::run($sql, $args)->fetchAll(PDO::FETCH_ASSOC);
    }

    public static function one($sql, $args)
    {
        return self::run($sql, $args)->fetch(PDO::FETCH_ASSOC);
    }
}
