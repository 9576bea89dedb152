// An id as the server writes it, with a button to copy it. Ids are not secret; card numbers never come here.
import { CheckOutlined, CopyOutlined } from '@ant-design/icons';
import { Button } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';

export function Id({ id, to }: { id: string; to?: string }) {
  return (
    <span className="id">
      {to ? (
        <Link to={to}>
          <code>{id}</code>
        </Link>
      ) : (
        <code>{id}</code>
      )}
      <CopyButton text={id} />
    </span>
  );
}

export function CopyButton({ text }: { text: string }) {
  const { t } = useTranslation();
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), 2000);
  };
  return (
    <Button
      type="text"
      size="small"
      icon={copied ? <CheckOutlined /> : <CopyOutlined />}
      aria-label={copied ? t('action.copied') : t('action.copy')}
      onClick={() => void copy()}
    />
  );
}
