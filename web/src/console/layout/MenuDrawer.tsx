// The menu on narrow screens; loaded when first opened.
import { Drawer } from 'antd';
import { useTranslation } from 'react-i18next';
import { MainMenu } from './MainMenu';

export default function MenuDrawer({ open, onClose }: { open: boolean; onClose: () => void }) {
  const { t } = useTranslation();
  return (
    <Drawer open={open} onClose={onClose} placement="left" size={264} title="Hexiao 核销">
      <nav aria-label={t('menu')}>
        <MainMenu onOpen={onClose} />
      </nav>
    </Drawer>
  );
}
